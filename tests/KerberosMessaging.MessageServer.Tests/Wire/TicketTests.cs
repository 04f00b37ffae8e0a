using KerberosMessaging.Cryptography;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Wire;

public sealed class TicketTests : IAsyncLifetime
{
    private readonly TestDevice _alice = TestDevice.Of("alice");
    private TestServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(new FakeTimeProvider(DateTimeOffset.UtcNow));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_right_ticket_is_accepted_and_its_session_key_goes_into_the_channel()
    {
        await using var client = await _server.SignInAsync(_alice, Cancellation);
        Assert.Equal(0ul, (await client.GrantAsync(1, Cancellation)).NewestWaiting);
    }

    [Fact]
    public Task An_expired_ticket_is_refused() =>
        AssertRefusedAsync(_server.Realm.Issue(_alice, _server.Now - TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(10)));

    [Fact]
    public Task A_ticket_that_is_not_valid_yet_is_refused() =>
        AssertRefusedAsync(_server.Realm.Issue(
            _alice, _server.Now + TicketTimes.ServerClockSkew + TimeSpan.FromMilliseconds(1)));

    [Fact]
    public async Task A_ticket_of_a_realm_whose_clock_is_a_little_ahead_is_accepted()
    {
        await using var client = await _server.ConnectAsync(Cancellation);
        await _server.Realm.Issue(_alice, _server.Now + TimeSpan.FromSeconds(30)).PresentAsync(client.Connection, Cancellation);
    }

    [Fact]
    public Task A_ticket_for_another_server_is_refused() =>
        AssertRefusedAsync(_server.Realm.Issue(_alice, _server.Now, server: ServerId.New()));

    [Fact]
    public async Task A_ticket_under_another_service_key_is_refused()
    {
        using var other = SecretBytes.Random(ServiceTicket.ServiceKeySize);
        await AssertRefusedAsync(_server.Realm.Issue(_alice, _server.Now, serviceKey: other));
    }

    [Fact]
    public Task A_ticket_under_an_unknown_key_version_is_refused() =>
        AssertRefusedAsync(_server.Realm.Issue(_alice, _server.Now, keyVersion: 99));

    [Fact]
    public async Task A_ticket_that_the_realm_did_not_sign_is_refused()
    {
        // A silver ticket: the thief has the server's key, but not the realm's.
        using var thief = Ed25519PrivateKey.Generate();
        await AssertRefusedAsync(_server.Realm.Issue(_alice, _server.Now, signer: thief));
    }

    [Fact]
    public async Task A_ticket_with_any_altered_byte_is_refused()
    {
        var ticket = _server.Realm.Issue(_alice, _server.Now);
        await using var client = await _server.ConnectAsync(Cancellation);

        // Prefix, body, tag and signature; all of them would take a minute.
        for (var i = 0; i < ticket.Bytes.Length; i += 7)
        {
            var altered = ticket with { Bytes = [.. ticket.Bytes] };
            altered.Bytes[i] ^= 1;
            await AssertRefusedAsync(altered, client);
        }

        await ticket.PresentAsync(client.Connection, Cancellation);
    }

    [Fact]
    public async Task An_authenticator_recorded_on_another_connection_is_refused()
    {
        var ticket = _server.Realm.Issue(_alice, _server.Now);
        await using var first = await _server.ConnectAsync(Cancellation);
        var authenticator = Authenticator.For(first.Connection.Channel.ChannelBinding.Span);
        var recorded = authenticator.Seal(ticket.SessionKey, MessageCode.PresentTicket);
        await ticket.PresentAsync(first.Connection, authenticator, recorded, Cancellation);

        await using var second = await _server.ConnectAsync(Cancellation);
        var refusal = await Assert.ThrowsAsync<RequestRefusedException>(
            () => ticket.PresentAsync(second.Connection, authenticator, recorded, Cancellation));
        Assert.Equal(ProtocolError.TicketRefused, refusal.Error);
    }

    [Fact]
    public async Task An_authenticator_for_another_request_is_refused()
    {
        var ticket = _server.Realm.Issue(_alice, _server.Now);
        await using var client = await _server.ConnectAsync(Cancellation);
        var authenticator = Authenticator.For(client.Connection.Channel.ChannelBinding.Span);
        var refusal = await Assert.ThrowsAsync<RequestRefusedException>(() => ticket.PresentAsync(
            client.Connection, authenticator, authenticator.Seal(ticket.SessionKey, MessageCode.RequestServiceTicket), Cancellation));
        Assert.Equal(ProtocolError.TicketRefused, refusal.Error);
    }

    [Fact]
    public async Task A_thief_without_the_session_key_cannot_present_a_ticket()
    {
        using var guessed = SessionKey.New();
        await AssertRefusedAsync(_server.Realm.Issue(_alice, _server.Now) with { SessionKey = guessed });
    }

    [Fact]
    public async Task After_a_refusal_the_right_ticket_is_accepted_on_the_same_connection()
    {
        await using var client = await _server.ConnectAsync(Cancellation);
        await AssertRefusedAsync(_server.Realm.Issue(_alice, _server.Now - TimeSpan.FromHours(1)), client);
        await _server.Realm.Issue(_alice, _server.Now).PresentAsync(client.Connection, Cancellation);
    }

    [Theory]
    [MemberData(nameof(RequestsThatNeedATicket))]
    public async Task Requests_before_a_ticket_are_told_to_sign_in(MessageCode code)
    {
        await using var client = await _server.ConnectAsync(Cancellation);
        var refusal = await Assert.ThrowsAsync<RequestRefusedException>(
            () => client.Connection.RequestAsync(Make(code), Cancellation));
        Assert.Equal(ProtocolError.NotSignedIn, refusal.Error);
    }

    public static TheoryData<MessageCode> RequestsThatNeedATicket() =>
    [
        MessageCode.SendMessage, MessageCode.UploadPrekeys, MessageCode.FetchPrekeys, MessageCode.Acknowledge, MessageCode.GrantCredit,
        MessageCode.GetPrekeyStatus,
    ];

    [Fact]
    public async Task The_connection_ends_with_its_ticket()
    {
        await using var client = await _server.SignInAsync(_alice, Cancellation);
        _server.Time!.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(NoticeKind.SessionEnded, (await client.NextNoticeAsync(Cancellation)).Kind);
        await client.Connection.Ended.WaitAsync(Cancellation);
    }

    [Fact]
    public async Task A_fresh_ticket_on_the_same_connection_keeps_it_and_its_mail_flowing()
    {
        await using var client = await _server.SignInAsync(_alice, Cancellation);
        await client.GrantAsync(10, Cancellation);
        _server.Time!.Advance(TimeSpan.FromMinutes(9));
        await _server.Realm.Issue(_alice, _server.Now).PresentAsync(client.Connection, Cancellation);
        _server.Time!.Advance(TimeSpan.FromMinutes(9));
        await using var bob = await _server.SignInAsync(TestDevice.Of("bob"), Cancellation);
        await bob.SendAsync(_alice, Cancellation);
        Assert.Equal(1ul, (await client.NextDeliveryAsync(Cancellation)).Sequence);
    }

    [Fact]
    public async Task A_ticket_of_someone_else_does_not_take_over_a_connection()
    {
        await using var client = await _server.SignInAsync(_alice, Cancellation);
        await AssertRefusedAsync(_server.Realm.Issue(TestDevice.Of("mallory"), _server.Now), client);
        await AssertRefusedAsync(_server.Realm.Issue(TestDevice.Of("alice", _alice.Client), _server.Now), client);
        await client.GrantAsync(1, Cancellation);
    }

    [Fact]
    public async Task A_device_too_many_is_refused()
    {
        for (var i = 0; i < ProtocolLimits.DevicesPerClient; i++)
        {
            await using var device = await _server.SignInAsync(TestDevice.Of("bob", _alice.Client), Cancellation);
        }

        await using var client = await _server.ConnectAsync(Cancellation);
        var refusal = await Assert.ThrowsAsync<RequestRefusedException>(
            () => _server.Realm.Issue(_alice, _server.Now).PresentAsync(client.Connection, Cancellation));
        Assert.Equal(ProtocolError.DeviceRefused, refusal.Error);
    }

    private static IWireMessage Make(MessageCode code) => code switch
    {
        MessageCode.SendMessage => TestClient.Message(TestDevice.Of("bob")),
        MessageCode.UploadPrekeys => new UploadPrekeysRequest([1], 0, []),
        MessageCode.FetchPrekeys => new FetchPrekeysRequest(ClientId.New(), []),
        MessageCode.GetPrekeyStatus => new PrekeyStatusRequest(),
        MessageCode.Acknowledge => new AcknowledgeRequest([], 0),
        _ => new GrantCreditRequest(1),
    };

    private async Task AssertRefusedAsync(TestTicket ticket)
    {
        await using var client = await _server.ConnectAsync(Cancellation);
        await AssertRefusedAsync(ticket, client);
    }

    private static async Task AssertRefusedAsync(TestTicket ticket, TestClient client)
    {
        var refusal = await Assert.ThrowsAsync<RequestRefusedException>(
            () => ticket.PresentAsync(client.Connection, Cancellation));
        Assert.Equal((ProtocolError.TicketRefused, TimeSpan.Zero), (refusal.Error, refusal.RetryAfter));
    }
}
