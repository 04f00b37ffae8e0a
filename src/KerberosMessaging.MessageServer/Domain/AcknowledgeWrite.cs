namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Deletes what a device has taken over; numbers that are not there do no harm. The result is how many were deleted.</summary>
internal sealed class AcknowledgeWrite(long mailbox, IReadOnlyList<MailboxRange> ranges) : StoreWrite<int>
{
    public long Mailbox => mailbox;

    public IReadOnlyList<MailboxRange> Ranges => ranges;
}
