using KerberosMessaging.AuthServer.Tests.Support;

namespace KerberosMessaging.AuthServer.Tests.Admin;

public sealed class StatsTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _admin = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync("--Lockout:FreeFailures=1", "--Lockout:LockoutFailures=2");
        _admin = _server.Admin();
    }

    public async ValueTask DisposeAsync()
    {
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task What_there_is_is_counted()
    {
        var started = "2026-03-02T08:00:00Z";
        await _server.EnrolAsync();
        var (alice, _, client) = await _server.SignUpQuickAsync("alice");
        await using var _ = client;
        await alice.LoginAsync(client, new TestDevice());
        foreach (var (name, isDeleted) in new[] { ("bob", false), ("carol", true) })
        {
            var (account, _, other) = await _server.SignUpQuickAsync(name);
            await other.DisposeAsync();
            await (isDeleted
                ? _admin.ChangeAsync(HttpMethod.Delete, $"/clients/{account.Client.Value}")
                : _admin.ChangeAsync($"/clients/{account.Client.Value}/disable"));
        }

        await using (var guesser = await _server.ConnectAsync())
        {
            await guesser.FailToLogInAsync("alice");
        }

        await Eventually.TrueAsync(() => _server.OpenConnections == 1);
        var stats = await _admin.ReadAsync("/stats");

        Assert.Equal((2, 1, 3, 2), (Number("clients"), Number("disabledClients"), Number("devices"), Number("livingSessions")));
        Assert.Equal((1, 1), (Number("messageServers"), Number("connections")));
        Assert.Equal((4, 1, 1), (Number("loginsLastMinute"), Number("failedLoginsLastMinute"), Number("lockouts")));
        Assert.Equal((await _server.WholeAuditAsync()).Count, Number("auditEvents"));
        Assert.Equal(started, stats.Text("startedAt"));
        Assert.Matches(@"^\d+\.\d+\.\d+", stats.Text("version"));

        // A minute later; meanwhile the numbers are those from before.
        _server.Time.Advance(TimeSpan.FromMinutes(1));
        stats = await _admin.ReadAsync("/stats");
        Assert.Equal((0, 0, 0), (Number("loginsLastMinute"), Number("failedLoginsLastMinute"), Number("lockouts")));
        Assert.Equal((2, 2), (Number("clients"), Number("livingSessions")));

        int Number(string name) => stats.GetProperty(name).GetInt32();
    }

    [Fact]
    public async Task Numbers_are_kept_for_two_seconds()
    {
        await using var client = await _server.ConnectAsync();
        Assert.Equal(0, (await _admin.ReadAsync("/stats")).GetProperty("clients").GetInt32());
        await SampleRecord.RegisterAsync(client, "alice");

        _server.Time.Advance(TimeSpan.FromMilliseconds(1999));
        Assert.Equal(0, (await _admin.ReadAsync("/stats")).GetProperty("clients").GetInt32());
        _server.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, (await _admin.ReadAsync("/stats")).GetProperty("clients").GetInt32());
    }
}
