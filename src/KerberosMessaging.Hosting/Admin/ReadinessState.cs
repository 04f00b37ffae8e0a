namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// Whether the server can take work. It starts as not ready; the server says when migrations and enrolment are done. While
/// it drains it is not ready, whatever else is said.
/// </summary>
public sealed class ReadinessState
{
    private const string Draining = "The server is shutting down.";

    // One reference each (null is ready), so that a reader never sees half of a change.
    private volatile string? _reason = "The server is starting.";
    private volatile string? _draining;

    /// <summary>Whether the server can take work.</summary>
    public bool IsReady => Reason is null;

    /// <summary>Why the server cannot take work, or <see langword="null"/> when it can.</summary>
    public string? Reason => _draining ?? _reason;

    /// <summary>The server can take work, unless it drains.</summary>
    public void SetReady() => _reason = null;

    /// <summary>The server cannot take work.</summary>
    /// <param name="reason">Why, in a sentence that anybody may read: the health endpoint is anonymous.</param>
    public void SetNotReady(string reason)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        _reason = reason;
    }

    /// <summary>The server drains or stops.</summary>
    public void SetDraining() => _draining = Draining;

    /// <summary>The server drains no more; what was said last of all else counts again.</summary>
    public void EndDrain() => _draining = null;
}
