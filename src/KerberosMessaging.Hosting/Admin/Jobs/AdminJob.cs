using KerberosMessaging.Hosting.Audit;

namespace KerberosMessaging.Hosting.Admin.Jobs;

// A source of cancellation without a timer holds nothing, and an abort may come at any time.
#pragma warning disable CA1001

/// <summary>Long work that an admin asked for, which goes on after the answer.</summary>
public sealed class AdminJob
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private JobState _state;
    private DateTimeOffset? _endedAt;
    private string? _error;

    internal AdminJob(long number, string kind, string target, Origin origin, DateTimeOffset startedAt) =>
        (Number, Kind, Target, Origin, StartedAt) = (number, kind, target, origin, startedAt);

    /// <summary>Its id.</summary>
    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>What it does.</summary>
    public string Kind { get; }

    /// <summary>What it does it to.</summary>
    public string Target { get; }

    /// <summary>Who asked for it.</summary>
    public Origin Origin { get; }

    /// <summary>When it was asked for.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>How far it is.</summary>
    public JobState State
    {
        get
        {
            lock (_lock)
            {
                return _state;
            }
        }
    }

    /// <summary>Ends when the job has.</summary>
    public Task Ended => _ended.Task;

    /// <summary>How far it is, in numbers.</summary>
    internal JobProgress Progress { get; } = new();

    /// <summary>Jobs are numbered 1, 2, 3 as they are started.</summary>
    internal long Number { get; }

    internal CancellationToken Aborted => _abort.Token;

    /// <summary>What the admin API shows of it.</summary>
    public JobView View()
    {
        lock (_lock)
        {
            return new JobView(Id, Kind, Target, _state, Progress.Done, Progress.Total, StartedAt, _endedAt, _error);
        }
    }

    /// <summary>Of its state: an abort by somebody who saw another one is refused.</summary>
    internal EntityTag Tag() => EntityTag.Of(Id, State);

    internal void Run()
    {
        lock (_lock)
        {
            _state = JobState.Running;
        }
    }

    internal void End(JobState state, DateTimeOffset at, string? error)
    {
        lock (_lock)
        {
            (_state, _endedAt, _error) = (state, at, error);
        }

        _ended.TrySetResult();
    }

    internal void Abort() => _abort.Cancel();
}
