namespace KerberosMessaging.AuthServer.Domain;

/// <summary>
/// Wakes whoever waits for a change. It carries nothing and may be missed by nobody who takes <see cref="Next"/> before
/// looking: the database is the truth.
/// </summary>
internal sealed class ChangeSignal
{
    private TaskCompletionSource _next = New();

    /// <summary>Completes at the next change.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Raise() => Interlocked.Exchange(ref _next, New()).SetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
