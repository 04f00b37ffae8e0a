namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// What passed through the relay since the start. Plain numbers that are read when somebody asks: every message adds to them, whether
/// or not anybody measures.
/// </summary>
internal sealed class MessageCounts
{
    private long _accepted;
    private long _delivered;
    private long _acknowledgedUnwritten;
    private long _overdue;

    /// <summary>Messages that senders were told are kept.</summary>
    public long Accepted => Volatile.Read(ref _accepted);

    /// <summary>Envelopes that were sent to their device, again or for the first time.</summary>
    public long Delivered => Volatile.Read(ref _delivered);

    /// <summary>Envelopes that their device acknowledged before they were written.</summary>
    public long AcknowledgedUnwritten => Volatile.Read(ref _acknowledgedUnwritten);

    /// <summary>Envelopes that were pushed and written all the same, because their device took too long.</summary>
    public long Overdue => Volatile.Read(ref _overdue);

    public void Accept() => Interlocked.Increment(ref _accepted);

    public void Deliver() => Interlocked.Increment(ref _delivered);

    /// <summary>A device acknowledged an envelope that was in this state.</summary>
    public void Acknowledge(EnvelopeState state)
    {
        if (state is EnvelopeState.Pushed or EnvelopeState.Queued)
        {
            Interlocked.Increment(ref _acknowledgedUnwritten);
        }
    }

    /// <summary>An envelope goes to disk; one that was never pushed has missed no moment.</summary>
    public void Store(bool wasPushed)
    {
        if (wasPushed)
        {
            Interlocked.Increment(ref _overdue);
        }
    }
}
