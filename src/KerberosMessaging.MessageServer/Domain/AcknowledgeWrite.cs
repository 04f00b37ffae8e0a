namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Deletes what a device has taken over; numbers that are not there do no harm. The result is how many were deleted, and how long
/// they were together.
/// </summary>
internal sealed class AcknowledgeWrite(Mailbox mailbox, MailboxRange[] ranges) : StoreWrite<Deleted>
{
    public long Mailbox => mailbox.Id;

    public MailboxRange[] Ranges => ranges;

    public override void Complete(bool isCommitted)
    {
        if (isCommitted)
        {
            mailbox.Deleted(Result.Count, Result.Bytes);
        }

        mailbox.EndDelete();
        base.Complete(isCommitted);
    }
}

/// <summary>Envelopes that were deleted.</summary>
/// <param name="Count">How many.</param>
/// <param name="Bytes">How long they were together.</param>
internal readonly record struct Deleted(int Count, long Bytes);
