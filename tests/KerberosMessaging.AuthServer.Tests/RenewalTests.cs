using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class RenewalTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private TestTicket _ticket = null!;
    private TestClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        (_, _ticket, _client) = await _server.SignUpAsync("alice");
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task It_gives_a_new_life_and_a_new_key_to_the_same_session()
    {
        _server.Time.Advance(TimeSpan.FromHours(9));
        var now = _server.Time.GetUtcNow();

        var renewed = await RenewAsync(_ticket);

        var first = _ticket.Part.Times;
        Assert.Equal(new TicketTimes(first.AuthenticatedAt, now, now.AddHours(10), first.RenewableUntil), renewed.Part.Times);
        Assert.Equal(_ticket.Part.Session, renewed.Part.Session);
        Assert.Equal(_ticket.Part.Client, renewed.Part.Client);
        Assert.Equal(_ticket.Part.Certificate, renewed.Part.Certificate);
        Assert.NotEqual(_ticket.SessionKey.Span.ToArray(), renewed.SessionKey.Span.ToArray());
        var session = Assert.Single(await _server.SessionsAsync());
        Assert.Equal((now.AddHours(10), now), (session.ExpiresAt, session.LastUsedAt));
    }

    [Fact]
    public async Task Both_tickets_are_good_until_their_own_end()
    {
        _server.Time.Advance(TimeSpan.FromHours(9));
        var renewed = await RenewAsync(_ticket);
        await PresentAsync(_ticket);
        await PresentAsync(renewed);

        _server.Time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(ProtocolError.TicketRefused, await RefusalAsync(_ticket));
        await PresentAsync(renewed);
    }

    [Fact]
    public async Task It_can_be_repeated_up_to_the_renewable_life_and_not_beyond()
    {
        var ticket = _ticket;
        for (var renewals = 0; ticket.Part.Times.EndsAt < _ticket.Part.Times.RenewableUntil; renewals++)
        {
            Assert.InRange(renewals, 0, 30);
            _server.Time.Advance(TimeSpan.FromHours(8));
            ticket = await RenewAsync(ticket);
            Assert.True(ticket.Part.Times.EndsAt <= _ticket.Part.Times.RenewableUntil);
            Assert.Equal(ticket.Part.Times.EndsAt, Assert.Single(await _server.SessionsAsync()).ExpiresAt);
        }

        // In the last hours a renewal gains nothing.
        _server.Time.Advance(ticket.Part.Times.EndsAt - _server.Time.GetUtcNow() - TimeSpan.FromMilliseconds(1));
        Assert.Equal(ticket.Part.Times.EndsAt, (await RenewAsync(ticket)).Part.Times.EndsAt);

        _server.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(ProtocolError.TicketRefused, await RefusalAsync(ticket));
    }

    [Fact]
    public async Task It_comes_too_late_once_the_ticket_has_ended()
    {
        _server.Time.Advance(TimeSpan.FromHours(10));

        Assert.Equal(ProtocolError.TicketRefused, await RefusalAsync(_ticket));
    }

    [Fact]
    public async Task A_later_end_forged_into_a_ticket_gains_nothing()
    {
        var times = _ticket.Part.Times;
        var forged = _ticket.Forge(_server.Keys, times: times with { RenewableUntil = times.RenewableUntil.AddYears(1) });

        var renewed = await RenewAsync(forged);

        Assert.Equal(times.RenewableUntil, renewed.Part.Times.RenewableUntil);
    }

    [Fact]
    public async Task Where_tickets_cannot_be_renewed_they_end_with_their_first_life()
    {
        await using var server = await TestServer.StartAsync("--Auth:TicketLife=01:00:00", "--Auth:RenewableLife=01:00:00");
        var (_, ticket, client) = await server.SignUpAsync("alice");
        await using (client)
        {
            Assert.Equal(ticket.Part.Times.RenewableUntil, ticket.Part.Times.EndsAt);
            server.Time.Advance(TimeSpan.FromMinutes(30));
            Assert.Equal(ticket.Part.Times.EndsAt, (await client.RenewAsync(ticket)).Part.Times.EndsAt);
        }
    }

    [Fact]
    public async Task Renewing_twice_at_once_succeeds_twice()
    {
        await using var other = await _server.ConnectAsync();

        var renewed = await Task.WhenAll(_client.RenewAsync(_ticket), other.RenewAsync(_ticket));

        Assert.Equal(renewed[0].Part.Session, renewed[1].Part.Session);
        Assert.NotEqual(renewed[0].SessionKey.Span.ToArray(), renewed[1].SessionKey.Span.ToArray());
        Assert.Empty(_server.Log.Errors);
    }

    private async Task<TestTicket> RenewAsync(TestTicket ticket)
    {
        await using var client = await _server.ConnectAsync();
        return await client.RenewAsync(ticket);
    }

    private async Task<ProtocolError> RefusalAsync(TestTicket ticket)
    {
        await using var client = await _server.ConnectAsync();
        return await client.RefusalAsync(ticket.Request(client, MessageCode.RenewTicket));
    }

    private async Task PresentAsync(TestTicket ticket)
    {
        await using var client = await _server.ConnectAsync();
        await client.PresentAsync(ticket);
    }
}
