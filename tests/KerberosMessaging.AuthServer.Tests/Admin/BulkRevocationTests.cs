using System.Net;
using System.Text.Json;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Admin.Jobs;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.AuthServer.Tests.Admin;

public sealed class BulkRevocationTests : IAsyncLifetime
{
    private const string Path = "/sessions/revoke";

    private TestServer _server = null!;
    private HttpClient _admin = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

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
    public async Task Listed_sessions_end_at_once_and_others_go_on()
    {
        var (_, first, one) = await _server.SignUpQuickAsync("alice");
        var (_, second, two) = await _server.SignUpQuickAsync("bob");
        var (_, third, three) = await _server.SignUpQuickAsync("carol");
        await using var _ = three;
        Guid[] ids = [first.Part.Session.Value, second.Part.Session.Value, Guid.NewGuid()];

        Assert.Equal(2, (await RevokeAsync(new { sessions = ids })).GetProperty("revoked").GetInt32());
        Assert.Equal(0, (await RevokeAsync(new { sessions = ids })).GetProperty("revoked").GetInt32());

        await one.EndedAsync();
        await two.EndedAsync();
        await one.DisposeAsync();
        await two.DisposeAsync();
        Assert.Equal(ProtocolError.TicketRefused, await _server.TryPresentAsync(first));
        Assert.Null(await _server.TryPresentAsync(third));
        var rows = await _server.AuditAsync(AuditKind.SessionRevoked);
        Assert.Equal(
            ids[..2].Select(static id => $"session {id}").Order(),
            rows.Select(static row => row.Target).Order());
    }

    [Fact]
    public async Task Everybody_s_sessions_end_as_a_job()
    {
        await FillAsync(1000);
        var (_, ticket, client) = await _server.SignUpQuickAsync("alice");

        var job = await StartAsync(new { all = true });

        var ended = await EndAsync(job);
        Assert.Equal(("done", 1001L, 1001L), (ended.Text("state"), ended.GetProperty("done").GetInt64(), ended.GetProperty("total").GetInt64()));
        await client.EndedAsync();
        await client.DisposeAsync();
        Assert.Equal(ProtocolError.TicketRefused, await _server.TryPresentAsync(ticket));
        Assert.Empty(await _admin.ListAsync("/sessions?living=true"));
        Assert.Equal(1001, (await _server.AuditAsync(AuditKind.SessionRevoked)).Count);
        Assert.Equal(1001, _server.Get<RevocationLog>().Newest);
        var start = Assert.Single(await _server.AuditAsync(AuditKind.JobStarted));
        Assert.Equal(start.Target, Assert.Single(await _server.AuditAsync(AuditKind.JobEnded)).Target);
        Assert.Null((await _server.VerifyAuditAsync()).BrokenAt);
    }

    [Fact]
    public async Task Sessions_are_chosen_by_client_and_by_age()
    {
        var (alice, old, one) = await _server.SignUpQuickAsync("alice");
        var (bob, bobs, two) = await _server.SignUpQuickAsync("bob");
        _server.Time.Advance(TimeSpan.FromMinutes(10));
        var between = _server.Time.GetUtcNow();
        var young = await alice.LoginAsync(one);
        await one.DisposeAsync();
        await two.DisposeAsync();

        await EndAsync(await StartAsync(new { clients = new[] { alice.Client.Value, Guid.NewGuid() }, createdBefore = between }));
        Assert.Equal(Ids(young, bobs), await LivingAsync());

        await EndAsync(await StartAsync(new { createdBefore = between }));
        Assert.Equal(Ids(young), await LivingAsync());

        await EndAsync(await StartAsync(new { clients = new[] { bob.Client.Value, alice.Client.Value } }));
        Assert.Empty(await LivingAsync());
        Assert.Equal(ProtocolError.TicketRefused, await _server.TryPresentAsync(old));
    }

    [Fact]
    public async Task What_an_aborted_job_had_not_come_to_lives_on()
    {
        await FillAsync(1000);
        using var aborted = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var revoked = 0;
        _server.Get<RevocationLog>().OnRevoked(_ =>
        {
            if (++revoked == 300)
            {
                aborted.Cancel();
            }
        });
        var progress = new JobProgress();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _server.Get<SessionAdministration>().RevokeAsync(
            new SessionFilter(null, DateTimeOffset.MaxValue), TestServerDomain.Admin, progress, aborted.Token));

        // The step that was under way was finished.
        Assert.Equal(400, progress.Done);
        Assert.Equal(600, (await _server.SessionsAsync()).Count(static row => row.RevokedAt is null));
    }

    [Fact]
    public async Task A_job_that_waits_can_be_aborted()
    {
        var (_, ticket, client) = await _server.SignUpQuickAsync("alice");
        await client.DisposeAsync();
        var others = new TaskCompletionSource();
        for (var i = 0; i < 2; i++)
        {
            await _server.Get<AdminJobs>().StartAsync("test", "", TestServerDomain.Admin, (_, _) => others.Task, Cancel);
        }

        var job = await StartAsync(new { all = true });
        await _admin.CallAsync(HttpMethod.Post, $"/jobs/{job.Id()}/abort", HttpStatusCode.Accepted);

        Assert.Equal("aborted", (await EndAsync(job)).Text("state"));
        others.SetResult();
        Assert.Null(await _server.TryPresentAsync(ticket));
    }

    [Fact]
    public async Task Which_sessions_has_to_be_said_in_one_way()
    {
        var now = _server.Time.GetUtcNow();
        foreach (var body in new object[]
        {
            new { },
            new { all = false },
            new { sessions = Array.Empty<Guid>(), clients = Array.Empty<Guid>() },
            new { all = true, createdBefore = now },
            new { all = true, sessions = new[] { Guid.NewGuid() } },
            new { sessions = new[] { Guid.NewGuid() }, clients = new[] { Guid.NewGuid() } },
        })
        {
            await _admin.WrongAsync(HttpMethod.Post, Path, "all", body);
        }

        var many = Enumerable.Range(0, 1001).Select(static _ => Guid.NewGuid()).ToArray();
        await _admin.WrongAsync(HttpMethod.Post, Path, "sessions", new { sessions = many });
        await _admin.WrongAsync(HttpMethod.Post, Path, "clients", new { clients = many });
        Assert.Equal(0, (await RevokeAsync(new { sessions = many[..1000] })).GetProperty("revoked").GetInt32());
        Assert.Empty(await _server.AuditAsync(AuditKind.JobStarted));
    }

    private static IReadOnlyList<Guid> Ids(params TestTicket[] tickets) => [.. tickets.Select(static ticket => ticket.Part.Session.Value).Order()];

    private Task<JsonElement> RevokeAsync(object body) => _admin.CallAsync(HttpMethod.Post, Path, HttpStatusCode.OK, body);

    private Task<JsonElement> StartAsync(object body) => _admin.CallAsync(HttpMethod.Post, Path, HttpStatusCode.Accepted, body);

    private async Task<JsonElement> EndAsync(JsonElement job)
    {
        JsonElement now = job;
        await Eventually.TrueAsync(async () =>
        {
            now = await _admin.ReadAsync($"/jobs/{job.Id()}");
            return !now.IsNull("endedAt");
        });
        return now;
    }

    private async Task<IReadOnlyList<Guid>> LivingAsync() => [.. (await _admin.ListAsync("/sessions?living=true")).Select(AdminCalls.Id).Order()];

    // One client with very many sessions.
    private async Task FillAsync(int count)
    {
        await using var client = await _server.ConnectAsync();
        var id = (await SampleRecord.RegisterAsync(client, "robot")).Client.Value;
        var now = _server.Time.GetUtcNow();
        await _server.TamperAsync(
            $"""
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})
            INSERT INTO "Sessions" ("Id", "ClientId", "DeviceId", "Address", "CreatedAt", "LastUsedAt", "ExpiresAt", "RenewableUntil")
            SELECT randomblob(16), x'{id:N}', randomblob(16), '', {now.ToUnixTimeMilliseconds()}, 0, {now.AddHours(1).ToUnixTimeMilliseconds()} + i / 7, 0
            FROM n
            """);
    }
}
