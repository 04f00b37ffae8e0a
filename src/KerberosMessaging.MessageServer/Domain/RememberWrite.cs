namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Remembers ids of messages that were stored, so that their repeats are known after a restart. All ids of one device and one
/// transaction are one row. Rows that hold nothing but ids from before the device's last <see cref="SenderHistory.Remembered"/>
/// may go with it.
/// </summary>
/// <param name="mailbox">The mailbox of the device that sent them.</param>
/// <param name="number">The row's number, one more than the one before of that device.</param>
internal sealed class RememberWrite(long mailbox, long number) : StoreWrite
{
    public long Mailbox => mailbox;

    public long Number => number;

    public List<SentId> Ids { get; } = [];

    public override void Complete(bool isCommitted)
    {
        // Nobody waits for it: the messages of the same transaction tell.
    }
}
