using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.AuthServer.Tests.Admin;

public sealed class SessionAdminTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _admin = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _admin = _server.Admin();
    }

    public async ValueTask DisposeAsync()
    {
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Sessions_are_found_by_client_and_by_being_alive()
    {
        var (account, old, client) = await _server.SignUpAsync("alice");
        await client.DisposeAsync();
        _server.Time.Advance(TimeSpan.FromHours(10));
        await using var second = await _server.ConnectAsync();
        var revoked = await second.LoginAsync(account);
        await _admin.ChangeAsync($"/sessions/{revoked.Part.Session.Value}/revoke");
        await using var third = await _server.ConnectAsync();
        var living = await third.LoginAsync(account);
        var (_, bobs, bob) = await _server.SignUpAsync("bob");
        await using var _ = bob;
        var alice = living.Part.Client.Value;

        Assert.Equal(Ids(old, revoked, living, bobs), await IdsAsync("/sessions"));
        Assert.Equal(Ids(old, revoked, living), await IdsAsync($"/sessions?client={alice}"));
        Assert.Equal(Ids(living), await IdsAsync($"/sessions?client={alice}&living=true"));
        Assert.Equal(Ids(living, bobs), await IdsAsync("/sessions?living=true"));
        Assert.Empty(await IdsAsync($"/sessions?client={Guid.NewGuid()}"));
        await _admin.WrongAsync(HttpMethod.Get, "/sessions?client=alice", "client");
        await _admin.WrongAsync(HttpMethod.Get, "/sessions?living=yes", "living");
    }

    [Fact]
    public async Task A_revoked_session_is_cut_while_the_others_go_on()
    {
        var (account, ticket, client) = await _server.SignUpAsync("alice");
        await using var _ = client;
        await using var other = await _server.ConnectAsync();
        var otherTicket = await other.LoginAsync(account);
        var path = $"/sessions/{ticket.Part.Session.Value}/revoke";

        await _admin.ChangeAsync(path);
        await _admin.ChangeAsync(path);

        await client.EndedAsync();
        await other.RenewAsync(otherTicket);
        Assert.Equal(ProtocolError.TicketRefused, await other.RefusalAsync(ticket.Request(other, MessageCode.RenewTicket)));
        var row = Assert.Single(await _server.AuditAsync(), static row => row.Kind == AuditKind.SessionRevoked);
        Assert.Equal(("admin file", $"session {ticket.Part.Session.Value}"), (row.Actor, row.Target));
        var listed = (await _admin.ListAsync("/sessions")).Single(item => item.Id() == ticket.Part.Session.Value);
        Assert.Equal(("2026-03-02T08:00:00Z", "revoked by an admin"), (listed.Text("revokedAt"), listed.Text("revokedReason")));
    }

    // Those of one moment are in the order of their ids.
    private static IReadOnlyList<Guid> Ids(params TestTicket[] tickets) => [.. tickets.Select(static ticket => ticket.Part.Session.Value).Order()];

    private async Task<IReadOnlyList<Guid>> IdsAsync(string path) =>
        [.. (await _admin.ListAllAsync(path, limit: 2)).Select(AdminCalls.Id).Order()];
}
