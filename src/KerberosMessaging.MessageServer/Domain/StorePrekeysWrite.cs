namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Replaces the prekey bundle that a device publishes. The result says whether the mailbox is there.</summary>
internal sealed class StorePrekeysWrite(long mailbox, byte[] bundle) : StoreWrite<bool>
{
    public long Mailbox => mailbox;

    public byte[] Bundle => bundle;

    public override long Size => bundle.Length;
}
