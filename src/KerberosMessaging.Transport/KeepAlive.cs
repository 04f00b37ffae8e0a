namespace KerberosMessaging.Transport;

/// <summary>
/// Judges how long a peer has been silent. Who watches looks at equal intervals; whoever hears something sets the peer's count back to
/// 0. Intervals are counted, not time: what is heard costs no clock, and a process that itself stood still does not take
/// its peers for dead.
/// </summary>
public sealed class KeepAlive
{
    // What is heard is known to an interval: a sixth is exact enough, and rarely enough for thousands of idle peers.
    private const int IntervalsBeforePing = 6;

    private readonly int _intervalsBeforeEnd;

    /// <summary>Takes the limits.</summary>
    /// <param name="pingAfter">After so much silence the peer is asked for a sign of life.</param>
    /// <param name="deadAfter">After so much silence it is given up.</param>
    public KeepAlive(TimeSpan pingAfter, TimeSpan deadAfter)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(pingAfter, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(deadAfter, pingAfter);
        Interval = pingAfter / IntervalsBeforePing;
        _intervalsBeforeEnd = (int)Math.Ceiling(deadAfter / Interval);
    }

    /// <summary>How often to look. What is due comes at most so much late, and never early.</summary>
    public TimeSpan Interval { get; }

    /// <summary>Another interval is over.</summary>
    /// <param name="silentIntervals">The peer's count.</param>
    /// <returns>What is to be done now: a ping once in a silence.</returns>
    public KeepAliveStep Next(ref int silentIntervals)
    {
        // The first interval was partly over when the peer was last heard.
        var silent = Interlocked.Increment(ref silentIntervals) - 1;
        return silent >= _intervalsBeforeEnd ? KeepAliveStep.End
            : silent == IntervalsBeforePing ? KeepAliveStep.Ping
            : KeepAliveStep.Wait;
    }
}

/// <summary>What a silence asks for.</summary>
public enum KeepAliveStep
{
    /// <summary>Nothing yet.</summary>
    Wait,

    /// <summary>Ask for a sign of life.</summary>
    Ping,

    /// <summary>Give the peer up.</summary>
    End,
}
