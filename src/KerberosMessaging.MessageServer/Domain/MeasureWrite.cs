namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Measures some of the mailboxes in which something waits, by rising numbers. It changes nothing; it is a write because it needs a place
/// in the order of writes, so that what comes before it is in its result and what comes after it is not.
/// </summary>
/// <param name="after">The mailbox to start after; 0 for the beginning.</param>
/// <param name="limit">Stops once so many envelopes were looked at; one mailbox is always measured as a whole.</param>
internal sealed class MeasureWrite(long after, int limit) : StoreWrite<IReadOnlyList<MeasuredMailbox>>
{
    public long After => after;

    public int Limit => limit;

    /// <summary>Set by the store: there is more to measure.</summary>
    public bool HasMore { get; set; }
}

/// <summary>What waits in a mailbox on disk.</summary>
/// <param name="Mailbox">The mailbox.</param>
/// <param name="Count">How many envelopes.</param>
/// <param name="Bytes">How long they are together.</param>
internal readonly record struct MeasuredMailbox(long Mailbox, int Count, long Bytes);
