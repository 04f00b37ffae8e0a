using System.Net;
using System.Text.Json;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Jobs;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Tests.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Hosting.Tests.Admin;

/// <summary>Long work goes on after the answer, and tells how far it is.</summary>
public sealed class AdminJobTests : IAsyncLifetime
{
    private const string Secret = "the-secret-text-of-an-exception";

    private static readonly Origin Admin = new("admin first", "192.0.2.7", "request");

    private readonly TempFolder _folder = new();
    private readonly MemoryStore _store = new();
    private AdminServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await AdminServer.StartSharedAsync(_folder, _store, new FakeTimeProvider());

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_answer_names_the_job_which_tells_its_progress_and_its_end()
    {
        var (half, rest) = (new TaskCompletionSource(), new TaskCompletionSource());
        var job = await StartAsync(async (progress, aborted) =>
        {
            progress.SetTotal(10);
            progress.Add(4);
            half.SetResult();
            await rest.Task.WaitAsync(aborted);
            progress.Add(6);
        });
        var accepted = AdminResults.Accepted(job);
        Assert.Equal((202, $"/admin/v1/jobs/{job.Id}"), (accepted.StatusCode, accepted.Location));

        await Wait.ForAsync(half.Task);
        var running = await ReadAsync(job);
        Assert.Equal(("running", 4, 10), Figures(running));
        Assert.Equal(JsonValueKind.Null, running.GetProperty("endedAt").ValueKind);
        Assert.Equal([AuditKind.JobStarted], Audited(job).Select(static happened => happened.Kind));

        rest.SetResult();
        await Wait.ForAsync(job.Ended);
        var done = await ReadAsync(job);
        Assert.Equal(("done", 10, 10), Figures(done));
        Assert.NotEqual(JsonValueKind.Null, done.GetProperty("endedAt").ValueKind);
        Assert.Equal([AuditKind.JobStarted, AuditKind.JobEnded], Audited(job).Select(static happened => happened.Kind));
        Assert.All(Audited(job), static happened => Assert.Equal((Admin, AuditResult.Done), (happened.Origin, happened.Result)));
        Assert.Equal("job_finished", await _server.RefusalAsync(HttpMethod.Post, $"/jobs/{job.Id}/abort", HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task An_aborted_job_ends_and_keeps_what_it_did()
    {
        var job = await StartAsync(static async (progress, aborted) =>
        {
            progress.Add(3);
            await Task.Delay(Timeout.Infinite, aborted);
        });
        await Wait.UntilAsync(() => job.View().Done == 3);
        using var read = await _server.SendAsync(HttpMethod.Get, $"/jobs/{job.Id}");

        Assert.Equal(
            "precondition_failed", await _server.RefusalAsync(HttpMethod.Post, $"/jobs/{job.Id}/abort", HttpStatusCode.PreconditionFailed, ifMatch: "\"stale\""));
        Assert.False(job.Ended.IsCompleted);
        using var aborting = await _server.SendAsync(HttpMethod.Post, $"/jobs/{job.Id}/abort", ifMatch: read.Headers.ETag!.ToString());
        Assert.Equal((HttpStatusCode.Accepted, $"/admin/v1/jobs/{job.Id}"), (aborting.StatusCode, aborting.Headers.Location?.ToString()));

        await Wait.ForAsync(job.Ended);
        var aborted = await ReadAsync(job);
        Assert.Equal(("aborted", 3), (aborted.GetProperty("state").GetString(), aborted.GetProperty("done").GetInt32()));
        Assert.Equal(AuditResult.Refused, Audited(job).Last().Result);
    }

    [Fact]
    public async Task A_failed_job_tells_the_log_why_and_nobody_else()
    {
        var job = await StartAsync(static (_, _) => throw new InvalidOperationException(Secret));
        await Wait.ForAsync(job.Ended);

        var failed = await ReadAsync(job);
        Assert.Equal("failed", failed.GetProperty("state").GetString());
        Assert.NotEmpty(failed.GetProperty("error").GetString()!);
        Assert.DoesNotContain(Secret, failed.GetRawText() + string.Concat(_store.Events), StringComparison.Ordinal);
        Assert.Contains(_server.Log.Lines, static line => line.Text.Contains(Secret, StringComparison.Ordinal));
        Assert.Equal(AuditResult.Refused, Audited(job).Last().Result);
    }

    [Fact]
    public async Task A_third_job_waits_until_one_has_ended()
    {
        var rest = new TaskCompletionSource();
        AdminJob[] jobs = [await StartAsync((_, _) => rest.Task), await StartAsync((_, _) => rest.Task)];
        await Wait.UntilAsync(() => jobs.All(static job => job.State == JobState.Running));
        var third = await StartAsync(static (_, _) => Task.CompletedTask);
        Assert.Equal("queued", (await ReadAsync(third)).GetProperty("state").GetString());

        // It may be aborted before its turn.
        var fourth = await StartAsync(static (_, _) => Task.CompletedTask);
        await _server.CallAsync(HttpMethod.Post, $"/jobs/{fourth.Id}/abort", HttpStatusCode.Accepted);
        await Wait.ForAsync(fourth.Ended);
        Assert.Equal((JobState.Aborted, JobState.Queued), (fourth.State, third.State));

        rest.SetResult();
        await Wait.ForAsync(third.Ended);
        Assert.Equal(JobState.Done, third.State);
    }

    [Fact]
    public async Task The_list_is_newest_first_in_pages()
    {
        var jobs = new List<AdminJob>();
        for (var i = 0; i < 3; i++)
        {
            jobs.Insert(0, await StartAsync(static (_, _) => Task.CompletedTask));
        }

        var first = await _server.CallAsync(HttpMethod.Get, "/jobs?limit=2", HttpStatusCode.OK);
        var second = await _server.CallAsync(HttpMethod.Get, $"/jobs?limit=2&cursor={first.GetProperty("next").GetString()}", HttpStatusCode.OK);
        Assert.Equal(
            jobs.Select(static job => job.Id),
            new[] { first, second }.SelectMany(static page => page.GetProperty("items").EnumerateArray()).Select(static item => item.GetProperty("id").GetGuid()));
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next").ValueKind);
    }

    [Fact]
    public async Task The_servers_stop_aborts_what_still_runs()
    {
        var job = await StartAsync(static (_, aborted) => Task.Delay(Timeout.Infinite, aborted));
        await Wait.ForAsync(_server.Services.GetRequiredService<AdminJobs>().StoppingAsync(Cancel));
        Assert.Equal(JobState.Aborted, job.State);
        Assert.Equal(AuditKind.JobEnded, Audited(job).Last().Kind);
    }

    private static (string? State, int Done, int Total) Figures(JsonElement job) =>
        (job.GetProperty("state").GetString(), job.GetProperty("done").GetInt32(), job.GetProperty("total").GetInt32());

    private Task<AdminJob> StartAsync(Func<JobProgress, CancellationToken, Task> work) =>
        _server.Services.GetRequiredService<AdminJobs>().StartAsync("purge", "mailbox 1", Admin, work, Cancel);

    private Task<JsonElement> ReadAsync(AdminJob job) => _server.CallAsync(HttpMethod.Get, $"/jobs/{job.Id}", HttpStatusCode.OK);

    private IEnumerable<AuditEvent> Audited(AdminJob job) => _store.Events.Where(happened => happened.Target == $"job {job.Id}");
}
