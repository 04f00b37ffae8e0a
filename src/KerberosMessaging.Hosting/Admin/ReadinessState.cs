namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// Whether the server can take work. It starts as not ready; the server says when migrations and enrolment are done, and
/// stopping the application makes it not ready for good.
/// </summary>
public sealed class ReadinessState
{
    private const string Draining = "The server is shutting down.";

    // One reference holds the whole state (null is ready), so that a reader never sees half of a change.
    private string? _reason = "The server is starting.";

    /// <summary>Whether the server can take work.</summary>
    public bool IsReady => Reason is null;

    /// <summary>Why the server cannot take work, or <see langword="null"/> when it can.</summary>
    public string? Reason => Volatile.Read(ref _reason);

    /// <summary>The server can take work. Does nothing once <see cref="SetDraining"/> was called.</summary>
    public void SetReady() => Set(null);

    /// <summary>The server cannot take work. Does nothing once <see cref="SetDraining"/> was called.</summary>
    /// <param name="reason">Why, in a sentence that anybody may read: the health endpoint is anonymous.</param>
    public void SetNotReady(string reason)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        Set(reason);
    }

    /// <summary>The server is stopping; nothing makes it ready again.</summary>
    public void SetDraining() => Volatile.Write(ref _reason, Draining);

    private void Set(string? reason)
    {
        var seen = Volatile.Read(ref _reason);
        while (!ReferenceEquals(seen, Draining))
        {
            var before = Interlocked.CompareExchange(ref _reason, reason, seen);
            if (ReferenceEquals(before, seen))
            {
                return;
            }

            seen = before;
        }
    }
}
