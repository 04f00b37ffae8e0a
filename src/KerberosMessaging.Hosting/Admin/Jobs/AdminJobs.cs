using System.Globalization;
using KerberosMessaging.Hosting.Audit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Admin.Jobs;

/// <summary>
/// Runs long work that admins ask for, two jobs at a time, and remembers the last 1,000 until the server stops. A stop aborts
/// them: work that must not be left half done has to be done in one transaction.
/// </summary>
public sealed partial class AdminJobs : IHostedLifecycleService, IDisposable
{
    /// <summary>How many jobs are remembered.</summary>
    public const int Kept = 1000;

    // They compete with clients for the disk.
    private const int AtOnce = 2;

    private const string FailedText = "The job failed; the server's log says more.";

    private readonly IAuditWriter _audit;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _turns = new(AtOnce);
    private readonly Lock _lock = new();
    private readonly LinkedList<AdminJob> _jobs = [];
    private long _started;

    /// <summary>No jobs yet.</summary>
    /// <param name="audit">Start and end of each job are written here.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Is told of failures.</param>
    public AdminJobs(IAuditWriter audit, TimeProvider time, ILogger<AdminJobs> logger) => (_audit, _time, _logger) = (audit, time, logger);

    /// <summary>Starts a job, and returns once its start is in the audit log.</summary>
    /// <param name="kind">What it does, such as <c>purge</c>.</param>
    /// <param name="target">What it does it to, such as <c>mailbox ID</c>.</param>
    /// <param name="origin">Who asks.</param>
    /// <param name="work">The work; it tells how far it is, and ends soon once its token is cancelled.</param>
    /// <param name="cancellationToken">The request's end; it does not end the job.</param>
    public async Task<AdminJob> StartAsync(
        string kind, string target, Origin origin, Func<JobProgress, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        var job = new AdminJob(Interlocked.Increment(ref _started), kind, target, origin, _time.GetUtcNow());
        await _audit.WriteAsync(new AuditEvent(AuditKind.JobStarted, origin, $"job {job.Id}", $"{kind} {target}"), cancellationToken);
        lock (_lock)
        {
            _jobs.AddFirst(job);

            // Those that still run are not forgotten.
            for (var (node, count) = (_jobs.Last, _jobs.Count); node is not null && count > Kept; node = node.Previous)
            {
                if (node.Value.Ended.IsCompleted)
                {
                    _jobs.Remove(node);
                    break;
                }
            }
        }

        _ = Task.Run(() => RunAsync(job, work), CancellationToken.None);
        return job;
    }

    /// <summary>A job, while it is remembered.</summary>
    /// <param name="id">Its id.</param>
    public AdminJob? Find(Guid id)
    {
        lock (_lock)
        {
            return _jobs.FirstOrDefault(job => job.Id == id);
        }
    }

    /// <summary>The jobs, newest first.</summary>
    public IReadOnlyList<AdminJob> All()
    {
        lock (_lock)
        {
            return [.. _jobs];
        }
    }

    /// <inheritdoc />
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // Before anything else stops: the jobs need the database to the end.
        var living = All().Where(static job => !job.Ended.IsCompleted).ToList();
        living.ForEach(static job => job.Abort());
        await Task.WhenAll(living.Select(static job => job.Ended)).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc />
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public void Dispose() => _turns.Dispose();

    private async Task RunAsync(AdminJob job, Func<JobProgress, CancellationToken, Task> work)
    {
        var (state, error) = (JobState.Done, (string?)null);
        try
        {
            await _turns.WaitAsync(job.Aborted);
            try
            {
                job.Run();
                await work(job.Progress, job.Aborted);
            }
            finally
            {
                _turns.Release();
            }
        }
        catch (OperationCanceledException) when (job.Aborted.IsCancellationRequested)
        {
            state = JobState.Aborted;
        }
        catch (Exception e)
        {
            Log.Failed(_logger, e, job.Id, job.Kind);
            (state, error) = (JobState.Failed, FailedText);
        }

        await EndAsync(job, state, error);
    }

    private async Task EndAsync(AdminJob job, JobState state, string? error)
    {
        try
        {
            var detail = string.Create(CultureInfo.InvariantCulture, $"{job.Kind} {job.Target}: {state}, {job.Progress.Done} done");
            var result = state == JobState.Done ? AuditResult.Done : AuditResult.Refused;
            await _audit.WriteAsync(new AuditEvent(AuditKind.JobEnded, job.Origin, $"job {job.Id}", detail, result), CancellationToken.None);
        }
        catch (Exception e)
        {
            Log.EndNotAudited(_logger, e, job.Id);
        }

        job.End(state, _time.GetUtcNow(), error);
    }

    private static partial class Log
    {
        [LoggerMessage(9101, LogLevel.Error, "Job {Job} ({Kind}) failed.")]
        public static partial void Failed(ILogger logger, Exception exception, Guid job, string kind);

        [LoggerMessage(9102, LogLevel.Error, "The end of job {Job} could not be written to the audit log.")]
        public static partial void EndNotAudited(ILogger logger, Exception exception, Guid job);
    }
}
