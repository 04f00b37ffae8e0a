using System.Security.Cryptography;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests;

/// <summary>Each of the three requests that go with a ticket-granting ticket refuses a ticket that is not right in every respect.</summary>
public sealed class TicketRefusalTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private TestMessageServer _messages = null!;
    private TestTicket _ticket = null!;
    private TestAccount _alice = null!;
    private TestClient _client = null!;

    public static TheoryData<MessageCode> Requests => [.. TestTicket.Requests];

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _messages = await _server.EnrolAsync();
        (_alice, _ticket, _client) = await _server.SignUpAsync("alice");
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_ticket_may_be_used_until_its_last_millisecond()
    {
        _server.Time.Advance(_ticket.Part.Times.EndsAt - _server.Time.GetUtcNow() - TimeSpan.FromMilliseconds(1));
        await AssertAcceptedAsync(_ticket);

        _server.Time.Advance(TimeSpan.FromMilliseconds(1));
        await AssertRefusedAsync(_ticket);
    }

    [Fact]
    public async Task A_ticket_may_be_used_from_its_start_but_for_the_skew_between_servers()
    {
        var earliest = _ticket.Part.Times.StartsAt - TicketTimes.ServerClockSkew;
        _server.Time.AdjustTime(earliest - TimeSpan.FromMilliseconds(1));
        await AssertRefusedAsync(_ticket);

        _server.Time.AdjustTime(earliest);
        await AssertAcceptedAsync(_ticket);
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task A_ticket_with_any_byte_altered_is_refused(MessageCode request)
    {
        for (var i = 0; i < _ticket.Bytes.Length; i++)
        {
            var altered = _ticket with { Bytes = Altered(_ticket.Bytes, i) };
            Assert.Equal(ProtocolError.TicketRefused, await _client.RefusalAsync(altered.Request(_client, request)));
        }
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task An_authenticator_with_any_byte_altered_is_refused(MessageCode request)
    {
        var authenticator = _ticket.Authenticate(_client, request);
        for (var i = 0; i < authenticator.Length; i++)
        {
            Assert.Equal(
                ProtocolError.TicketRefused,
                await _client.RefusalAsync(_ticket.Request(_client, request, Altered(authenticator, i))));
        }
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task A_ticket_or_authenticator_of_another_length_is_refused(MessageCode request)
    {
        var authenticator = _ticket.Authenticate(_client, request);
        foreach (var bytes in OtherLengths(_ticket.Bytes))
        {
            var cut = _ticket with { Bytes = bytes };
            Assert.Equal(ProtocolError.TicketRefused, await _client.RefusalAsync(cut.Request(_client, request)));
        }

        foreach (var bytes in OtherLengths(authenticator))
        {
            Assert.Equal(
                ProtocolError.TicketRefused, await _client.RefusalAsync(_ticket.Request(_client, request, bytes)));
        }
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task An_authenticator_made_for_another_request_is_refused(MessageCode request)
    {
        foreach (var other in TestTicket.Requests.Where(other => other != request))
        {
            var authenticator = _ticket.Authenticate(_client, other);
            Assert.Equal(
                ProtocolError.TicketRefused, await _client.RefusalAsync(_ticket.Request(_client, request, authenticator)));
        }
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task What_was_recorded_on_one_channel_is_refused_on_another(MessageCode request)
    {
        await using var recorded = await _server.ConnectAsync();
        await using var other = await _server.ConnectAsync();
        var asSent = _ticket.Request(recorded, request, server: _messages.Registered.Server);
        await recorded.RequestAsync(asSent);

        Assert.Equal(ProtocolError.TicketRefused, await other.RefusalAsync(asSent));
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task An_authenticator_under_another_session_key_is_refused(MessageCode request)
    {
        var other = await _client.LoginAsync(_alice);

        Assert.Equal(
            ProtocolError.TicketRefused,
            await _client.RefusalAsync(_ticket.Request(_client, request, other.Authenticate(_client, request))));
    }

    [Fact]
    public async Task A_ticket_of_a_session_that_does_not_exist_is_refused_even_under_the_right_key()
    {
        // Control: what the test seals is what the server seals.
        await AssertAcceptedAsync(_ticket.Forge(_server.Keys));

        await AssertRefusedAsync(_ticket.Forge(_server.Keys, session: SessionId.New()));
    }

    [Fact]
    public async Task A_ticket_that_names_another_client_or_device_than_its_session_is_refused_even_under_the_right_key()
    {
        var (_, bob, client) = await _server.SignUpAsync("bob");
        await client.DisposeAsync();

        await AssertRefusedAsync(_ticket.Forge(_server.Keys, client: bob.Part.Client));
        await AssertRefusedAsync(_ticket.Forge(_server.Keys, session: bob.Part.Session));
        await AssertRefusedAsync(_ticket.Forge(_server.Keys, device: DeviceId.New()));
    }

    [Fact]
    public async Task A_ticket_that_outlives_its_session_is_refused_even_under_the_right_key()
    {
        var times = _ticket.Part.Times;
        var forged = _ticket.Forge(_server.Keys, times: times with { EndsAt = times.EndsAt.AddDays(30) });
        await AssertAcceptedAsync(forged);

        _server.Time.Advance(times.EndsAt - _server.Time.GetUtcNow());
        await AssertRefusedAsync(forged);
    }

    [Fact]
    public async Task A_ticket_under_another_key_is_refused()
    {
        using var body = TicketGrantingTicket.TryOpen(_ticket.Bytes, _server.Keys.TicketKey.Key.Span)!;
        using var other = SecretBytes.Random(64);
        await AssertRefusedAsync(_ticket with { Bytes = TicketGrantingTicket.Seal(body, other.Span, _server.Keys.TicketKey.Version) });
        await AssertRefusedAsync(_ticket with
        {
            Bytes = TicketGrantingTicket.Seal(body, _server.Keys.TicketKey.Key.Span, _server.Keys.TicketKey.Version + 1),
        });
    }

    [Fact]
    public async Task A_service_ticket_is_no_ticket_granting_ticket()
    {
        var (ticket, part) = await _client.RequestServiceTicketAsync(_ticket, _messages.Registered.Server);
        using (part)
        {
            var asReply = new AsReplyPart
            {
                SessionKey = part.SessionKey.Clone(),
                Session = _ticket.Part.Session,
                Client = _ticket.Part.Client,
                ClientName = _ticket.Part.ClientName,
                ServerTime = part.ServerTime,
                Times = part.Times,
                Certificate = [],
            };
            await AssertRefusedAsync(new TestTicket(ticket, asReply));
        }
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task A_ticket_over_the_limit_ends_the_connection(MessageCode request)
    {
        var tooLarge = _ticket with { Bytes = new byte[ProtocolLimits.TicketBytes + 1] };

        var sending = _client.RequestAsync(tooLarge.Request(_client, request));

        Assert.Equal(ProtocolError.Malformed, (await _client.EndedAsync()).PeerError);
        await Assert.ThrowsAsync<Transport.ChannelException>(() => sending);
    }

    [Fact]
    public async Task After_logout_the_ticket_is_refused_at_once_and_other_sessions_go_on()
    {
        var other = await _client.LoginAsync(_alice, new TestDevice());
        await using var leaving = await _server.ConnectAsync();
        await leaving.PresentAsync(_ticket);

        await leaving.RequestAsync<Done>(new LogoutRequest(Everywhere: false));

        await AssertRefusedAsync(_ticket);
        await AssertAcceptedAsync(other);
        var revoked = Assert.Single(await _server.SessionsAsync(), static session => session.RevokedAt is not null);
        Assert.Equal(_ticket.Part.Session.Value, revoked.Id);
        Assert.Equal((_server.Time.GetUtcNow(), "logout"), (revoked.RevokedAt!.Value, revoked.RevokedReason));
    }

    [Fact]
    public async Task After_logout_everywhere_all_tickets_of_the_client_are_refused_and_no_other_client_s()
    {
        var other = await _client.LoginAsync(_alice, new TestDevice());
        var (_, bob, client) = await _server.SignUpAsync("bob");

        await _client.RequestAsync<Done>(new LogoutRequest(Everywhere: true));

        await AssertRefusedAsync(_ticket);
        await AssertRefusedAsync(other);
        await AssertAcceptedAsync(bob);
        await client.DisposeAsync();
    }

    [Fact]
    public async Task A_renewed_ticket_is_refused_after_logout_like_the_first()
    {
        var renewed = await _client.RenewAsync(_ticket);
        await _client.RequestAsync<Done>(new LogoutRequest(Everywhere: false));

        await AssertRefusedAsync(_ticket);
        await AssertRefusedAsync(renewed);
    }

    private static byte[] Altered(byte[] bytes, int at)
    {
        byte[] altered = [.. bytes];
        altered[at] ^= (byte)(1 << RandomNumberGenerator.GetInt32(8));
        return altered;
    }

    private static IEnumerable<byte[]> OtherLengths(byte[] bytes) =>
        [[], bytes[..1], bytes[..5], bytes[..^16], bytes[..^1], [.. bytes, 0], [.. bytes, .. new byte[16]], bytes[1..]];

    // Each request on a channel of its own, so that none profits from the one before. Renewal has its own tests: it changes
    // the session that the ticket is judged by.
    private async Task AssertAcceptedAsync(TestTicket ticket)
    {
        await using var asking = await _server.ConnectAsync();
        var (_, part) = await asking.RequestServiceTicketAsync(ticket, _messages.Registered.Server);
        part.Dispose();
        await using var presenting = await _server.ConnectAsync();
        await presenting.PresentAsync(ticket);
    }

    private async Task AssertRefusedAsync(TestTicket ticket)
    {
        await using var client = await _server.ConnectAsync();
        foreach (var request in TestTicket.Requests)
        {
            Assert.Equal(
                ProtocolError.TicketRefused,
                await client.RefusalAsync(ticket.Request(client, request, server: _messages.Registered.Server)));
        }

        // Refused for an unknown server like for a known one, and nobody is signed in by it.
        Assert.Equal(
            ProtocolError.TicketRefused,
            await client.RefusalAsync(ticket.Request(client, MessageCode.RequestServiceTicket, server: ServerId.New())));
        Assert.Equal(ProtocolError.NotSignedIn, await client.RefusalAsync(new ListServersRequest()));
    }
}
