using System.Threading.Tasks.Sources;

namespace KerberosMessaging.Transport;

/// <summary>
/// What one waiter sleeps on, used again and again without allocating. Whoever sets it must know, from a lock, that the waiter
/// sleeps or is about to, and that nobody else sets it.
/// </summary>
internal sealed class WakeUp : IValueTaskSource<bool>
{
    // On another thread: who enqueues a message must not find itself sending it.
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };

    /// <summary>Prepares the next sleep. What was slept on before must have been awaited.</summary>
    public ValueTask<bool> Next()
    {
        _core.Reset();
        return new ValueTask<bool>(this, _core.Version);
    }

    /// <summary>Ends the sleep with the result true.</summary>
    public void Set() => _core.SetResult(true);

    bool IValueTaskSource<bool>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
