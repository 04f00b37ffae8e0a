namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Deletes some of what nobody needs any more: expired envelopes, and message ids from before the idempotency window. The
/// result is what went, by mailbox.
/// </summary>
/// <param name="mailboxes">Those in memory are told.</param>
/// <param name="idsBefore">Message ids accepted before this are forgotten.</param>
/// <param name="limit">Most rows of each kind to delete.</param>
internal sealed class SweepWrite(MailboxDirectory mailboxes, DateTimeOffset idsBefore, int limit) : StoreWrite<IReadOnlyList<SweptEnvelopes>>
{
    public DateTimeOffset IdsBefore => idsBefore;

    public int Limit => limit;

    /// <summary>Set by the store: there is more to sweep.</summary>
    public bool HasMore { get; set; }

    public override void Complete(bool isCommitted)
    {
        if (isCommitted)
        {
            foreach (var (mailbox, count, bytes) in Result)
            {
                mailboxes.Find(mailbox)?.Deleted(count, bytes);
            }
        }

        base.Complete(isCommitted);
    }
}

/// <summary>Envelopes of one mailbox that expired.</summary>
/// <param name="Mailbox">The mailbox.</param>
/// <param name="Count">How many.</param>
/// <param name="Bytes">How long they were together.</param>
internal readonly record struct SweptEnvelopes(long Mailbox, int Count, long Bytes);
