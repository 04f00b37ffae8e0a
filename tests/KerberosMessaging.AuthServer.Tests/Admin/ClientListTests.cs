using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Tests.Admin;

public sealed class ClientListTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _admin = null!;
    private Dictionary<string, Guid> _ids = null!;
    private TestMessageServer _messages = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _admin = _server.Admin();
        _messages = await _server.EnrolAsync();
        _ids = [];

        // They register a minute after each other from 08:00 on, in this order.
        foreach (var name in new[] { "dora", "alice", "carol", "bob" })
        {
            await using var client = await _server.ConnectAsync();
            _ids[name] = (await SampleRecord.RegisterAsync(client, name)).Client.Value;
            _server.Time.Advance(TimeSpan.FromMinutes(1));
        }
    }

    public async ValueTask DisposeAsync()
    {
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Clients_are_sorted_by_each_column_in_both_directions()
    {
        await SeeAsync("alice", hours: 3);
        await SeeAsync("bob", hours: 2);
        string[] created = ["dora", "alice", "carol", "bob"];
        string[] named = ["alice", "bob", "carol", "dora"];
        string[] seen = ["dora", "carol", "bob", "alice"];

        foreach (var limit in new[] { 1, 3, 4 })
        {
            Assert.Equal(created, await NamesAsync("/clients", limit));
            Assert.Equal(created, await NamesAsync("/clients?sort=createdAt", limit));
            Assert.Equal(created.Reverse(), await NamesAsync("/clients?sort=-createdAt", limit));
            Assert.Equal(named, await NamesAsync("/clients?sort=name", limit));
            Assert.Equal(named.Reverse(), await NamesAsync("/clients?sort=-name", limit));
            Assert.Equal(seen, await NamesAsync("/clients?sort=lastSeenAt", limit));
            Assert.Equal(seen.Reverse(), await NamesAsync("/clients?sort=-lastSeenAt", limit));
        }
    }

    [Fact]
    public async Task A_cursor_is_good_for_its_own_order_alone()
    {
        string[] orders = ["createdAt", "-createdAt", "name", "-name", "lastSeenAt", "-lastSeenAt"];
        foreach (var made in orders)
        {
            var cursor = (await _admin.ReadAsync($"/clients?limit=1&sort={made}")).Text("next");
            foreach (var other in orders)
            {
                var path = $"/clients?limit=1&sort={other}&cursor={cursor}";
                await (made == other ? _admin.ReadAsync(path) : _admin.WrongAsync(HttpMethod.Get, path, "cursor"));
            }

            await (made == "createdAt"
                ? _admin.ReadAsync($"/clients?limit=1&cursor={cursor}")
                : _admin.WrongAsync(HttpMethod.Get, $"/clients?limit=1&cursor={cursor}", "cursor"));
        }
    }

    [Theory]
    [InlineData("/clients?sort=", "sort")]
    [InlineData("/clients?sort=-", "sort")]
    [InlineData("/clients?sort=deletedAt", "sort")]
    [InlineData("/clients?sort=--name", "sort")]
    [InlineData("/clients?sort=NameKey", "sort")]
    [InlineData("/clients?state=gone", "state")]
    [InlineData("/clients?homeServer=msg", "homeServer")]
    [InlineData("/clients?createdFrom=yesterday", "createdFrom")]
    [InlineData("/clients?living=perhaps", "living")]
    [InlineData("/clients?limit=201", "limit")]
    [InlineData("/sessions?sort=name", "sort")]
    [InlineData("/sessions?device=c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2", "client")]
    [InlineData("/lockouts?sort=name", "sort")]
    [InlineData("/servers?sort=name", "sort")]
    [InlineData("/one-time-tokens?sort=name", "sort")]
    public Task What_cannot_be_asked_for_is_named(string path, string field) => _admin.WrongAsync(HttpMethod.Get, path, field);

    [Fact]
    public async Task Clients_are_filtered_by_state()
    {
        await _admin.ChangeAsync($"/clients/{_ids["bob"]}/disable");
        await _admin.ChangeAsync($"/clients/{_ids["carol"]}/disable");
        await _admin.ChangeAsync(HttpMethod.Delete, $"/clients/{_ids["carol"]}");

        Assert.Equal(["dora", "alice"], await NamesAsync("/clients?state=active"));
        Assert.Equal(["bob"], await NamesAsync("/clients?state=disabled"));
        Assert.Equal([""], await NamesAsync("/clients?state=deleted"));
        Assert.Equal(["dora", "alice", "bob"], await NamesAsync("/clients"));
        Assert.Equal(["dora", "alice", "", "bob"], await NamesAsync("/clients?includeDeleted=true"));
        Assert.Equal(["alice"], await NamesAsync("/clients?state=active&name=al"));
    }

    [Fact]
    public async Task Clients_are_filtered_by_home_and_by_times()
    {
        var (_, _, client) = await _server.SignUpQuickAsync("erin");
        await using (client)
        {
            await client.RequestAsync<ClientFound>(new LookUpClientRequest("alice"));
        }

        await SeeAsync("dora", hours: 5);

        Assert.Equal(["alice"], await NamesAsync($"/clients?homeServer={_messages.Registered.Server.Value}"));
        Assert.Empty(await NamesAsync($"/clients?homeServer={Guid.NewGuid()}"));
        Assert.Equal(["carol", "bob"], await NamesAsync("/clients?createdFrom=2026-03-02T08:02:00Z&createdTo=2026-03-02T08:04:00Z"));
        Assert.Equal(["bob", "carol"], await NamesAsync("/clients?sort=name&createdFrom=2026-03-02T08:02:00Z&createdTo=2026-03-02T08:04:00Z"));
        Assert.Equal(["dora"], await NamesAsync("/clients?lastSeenFrom=2026-03-02T12:00:00Z"));
        Assert.Equal(["alice", "carol"], await NamesAsync("/clients?lastSeenTo=2026-03-02T08:03:00Z"));
    }

    [Fact]
    public async Task Clients_with_living_sessions_are_found_however_many_there_are()
    {
        var (_, ticket, client) = await _server.SignUpQuickAsync("erin");
        await client.DisposeAsync();
        Assert.Equal(["erin"], await NamesAsync("/clients?living=true"));

        // So many that the server looks from the clients' side.
        await _server.TamperAsync(
            $"""
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 5999)
            INSERT INTO "Sessions" ("Id", "ClientId", "DeviceId", "Address", "CreatedAt", "LastUsedAt", "ExpiresAt", "RenewableUntil")
            SELECT randomblob(16), x'{_ids["carol"]:N}', x'00', '', 0, 0, {_server.Time.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds()}, 0 FROM n
            """);
        Assert.Equal(["carol", "erin"], await NamesAsync("/clients?living=true"));
        Assert.Equal(["carol"], await NamesAsync("/clients?living=true&name=car"));

        await _admin.ChangeAsync($"/sessions/{ticket.Part.Session.Value}/revoke");
        Assert.Equal(["carol"], await NamesAsync("/clients?living=true"));
        _server.Time.Advance(TimeSpan.FromHours(1));
        Assert.Empty(await NamesAsync("/clients?living=true"));
    }

    [Fact]
    public async Task A_client_is_seen_when_it_registers_logs_in_and_renews()
    {
        var (account, _, client) = await _server.SignUpQuickAsync("erin");
        await using var _ = client;
        Assert.Equal("2026-03-02T08:04:00Z", await LastSeenAsync());

        _server.Time.Advance(TimeSpan.FromSeconds(59));
        await account.LoginAsync(client);
        Assert.Equal("2026-03-02T08:04:00Z", await LastSeenAsync());
        _server.Time.Advance(TimeSpan.FromSeconds(1));
        var ticket = await account.LoginAsync(client);
        Assert.Equal("2026-03-02T08:05:00Z", await LastSeenAsync());
        _server.Time.Advance(TimeSpan.FromMinutes(30));
        await client.RenewAsync(ticket);
        Assert.Equal("2026-03-02T08:35:00Z", await LastSeenAsync());

        async Task<string?> LastSeenAsync()
        {
            var listed = Assert.Single(await _admin.ListAsync("/clients?name=erin"));
            Assert.Equal(listed.Text("lastSeenAt"), (await _admin.ReadAsync($"/clients/{listed.Id()}")).Text("lastSeenAt"));
            return listed.Text("lastSeenAt");
        }
    }

    private Task SeeAsync(string name, int hours) => _server.TamperAsync(
        $"""UPDATE "Clients" SET "LastSeenAt" = "CreatedAt" + {hours * 3_600_000} WHERE "NameKey" = '{name}'""");

    private async Task<IReadOnlyList<string>> NamesAsync(string path, int limit = 2) =>
        [.. (await _admin.ListAllAsync(path, limit)).Select(static item => item.Text("name")!)];
}
