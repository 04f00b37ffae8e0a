using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class ServiceTicketTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private TestMessageServer _messages = null!;
    private TestTicket _ticket = null!;
    private TestClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _messages = await _server.EnrolAsync();
        (_, _ticket, _client) = await _server.SignUpAsync("Alice");
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task It_says_who_the_client_is_and_lives_for_ten_minutes()
    {
        _server.Time.Advance(TimeSpan.FromSeconds(45));
        var now = _server.Time.GetUtcNow();

        var (ticket, part) = await _client.RequestServiceTicketAsync(_ticket, _messages.Registered.Server);

        using (part)
        using (var body = _messages.Open(ticket))
        {
            Assert.NotNull(body);
            Assert.Equal(_ticket.Part.Session, body.Session);
            Assert.Equal(_ticket.Part.Client, body.Client);
            Assert.Equal("Alice", body.ClientName);
            Assert.Equal(Assert.Single(await _server.SessionsAsync()).DeviceId, body.Device.Value);
            Assert.Equal(
                new TicketTimes(_ticket.Part.Times.AuthenticatedAt, now, now.AddMinutes(10), now.AddMinutes(10)), body.Times);
            Assert.Equal(body.Times, part.Times);
            Assert.Equal((_messages.Registered.Server, now), (part.Server, part.ServerTime));
            Assert.Equal(body.SessionKey.Span, part.SessionKey.Span);
            Assert.NotEqual(_ticket.SessionKey.Span.ToArray(), part.SessionKey.Span.ToArray());
        }
    }

    [Fact]
    public async Task Each_has_a_session_key_of_its_own()
    {
        var (_, first) = await _client.RequestServiceTicketAsync(_ticket, _messages.Registered.Server);
        var (_, second) = await _client.RequestServiceTicketAsync(_ticket, _messages.Registered.Server);

        Assert.NotEqual(first.SessionKey.Span.ToArray(), second.SessionKey.Span.ToArray());
    }

    [Fact]
    public async Task It_ends_no_later_than_the_ticket_it_was_made_from()
    {
        _server.Time.Advance(TimeSpan.FromHours(10) - TimeSpan.FromMinutes(3));
        await using var client = await _server.ConnectAsync();

        var (ticket, part) = await client.RequestServiceTicketAsync(_ticket, _messages.Registered.Server);

        using (part)
        using (var body = _messages.Open(ticket))
        {
            Assert.Equal(_ticket.Part.Times.EndsAt, part.Times.EndsAt);
            Assert.Equal(_ticket.Part.Times.EndsAt, body!.Times.EndsAt);
            Assert.Equal(_ticket.Part.Times.EndsAt, body.Times.RenewableUntil);
        }
    }

    [Fact]
    public async Task It_opens_at_its_own_server_alone()
    {
        var other = await _server.EnrolAsync("msg-2");
        var (ticket, part) = await _client.RequestServiceTicketAsync(_ticket, _messages.Registered.Server);
        part.Dispose();

        Assert.NotNull(_messages.Open(ticket));
        Assert.Null(other.Open(ticket));

        // Not even where one server has the name of the other, the key of the other, or another realm.
        Assert.Null(new TestMessageServer(_messages.Registered with { Server = other.Registered.Server }).Open(ticket));
        Assert.Null(_messages.WithServiceKey(1, other.ServiceKey).Open(ticket));
        Assert.Null(_messages.WithServiceKey(2, _messages.ServiceKey).Open(ticket));
        using var otherRealm = Ed25519PrivateKey.Generate();
        Assert.Null(_messages.WithTicketSigningKey(1, otherRealm.PublicKey.ToArray()).Open(ticket));
        Assert.Null(_messages.WithTicketSigningKey(2, _server.Keys.TicketSigning[1].PublicKey.ToArray()).Open(ticket));
    }

    [Fact]
    public async Task A_server_that_does_not_exist_is_unknown_and_the_ticket_still_good()
    {
        foreach (var server in new[] { ServerId.New(), default, new ServerId(_ticket.Part.Client.Value), _server.Keys.Server })
        {
            Assert.Equal(
                ProtocolError.UnknownServer,
                await _client.RefusalAsync(_ticket.Request(_client, MessageCode.RequestServiceTicket, server: server)));
        }

        var (ticket, part) = await _client.RequestServiceTicketAsync(_ticket, _messages.Registered.Server);
        part.Dispose();
        Assert.NotNull(_messages.Open(ticket));
    }

    [Fact]
    public async Task No_channel_needs_to_be_signed_in_for_it()
    {
        await using var client = await _server.ConnectAsync();

        var (ticket, part) = await client.RequestServiceTicketAsync(_ticket, _messages.Registered.Server);

        part.Dispose();
        Assert.NotNull(_messages.Open(ticket));
    }

    [Fact]
    public async Task The_use_of_a_ticket_is_noted_to_the_minute()
    {
        var start = _server.Time.GetUtcNow();
        _server.Time.Advance(TimeSpan.FromSeconds(59));
        await UseAsync();
        Assert.Equal(start, Assert.Single(await _server.SessionsAsync()).LastUsedAt);

        _server.Time.Advance(TimeSpan.FromSeconds(1));
        await UseAsync();
        await _server.FlushAsync();
        Assert.Equal(start.AddMinutes(1), Assert.Single(await _server.SessionsAsync()).LastUsedAt);
    }

    private async Task UseAsync()
    {
        await using var client = await _server.ConnectAsync();
        var (_, part) = await client.RequestServiceTicketAsync(_ticket, _messages.Registered.Server);
        part.Dispose();
    }
}
