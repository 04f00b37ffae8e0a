namespace KerberosMessaging.Benchmarks.Relay;

/// <summary>What all senders and recipients of a run share: what is measured, and what ends the run early.</summary>
internal sealed class RelayRun
{
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _from = long.MaxValue;
    private long _until = long.MaxValue;

    /// <summary>Measures the latency of messages that are due from one moment until another, in ticks of the stopwatch.</summary>
    public void Measure(long from, long until)
    {
        Volatile.Write(ref _until, until);
        Volatile.Write(ref _from, from);
    }

    /// <summary>Whether a message that was due then is measured.</summary>
    public bool Measures(long dueAt) => dueAt >= Volatile.Read(ref _from) && dueAt < Volatile.Read(ref _until);

    /// <summary>Ends the run: its results would mean nothing.</summary>
    public void Fail(Exception reason) => _failed.TrySetException(reason);

    /// <summary>Waits some time, or throws what ended the run.</summary>
    public async Task DelayAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var delay = Task.Delay(time, either.Token);
        await await Task.WhenAny(delay, _failed.Task);
        await either.CancelAsync();
    }
}
