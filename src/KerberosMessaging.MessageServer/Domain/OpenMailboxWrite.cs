namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Finds a device's mailbox, or makes it, and remembers the client's name. The result is the mailbox, or null when the
/// client has as many as one message can reach.
/// </summary>
internal sealed class OpenMailboxWrite(DeviceAddress device, string clientName) : StoreWrite<MailboxState?>
{
    public DeviceAddress Device => device;

    public string ClientName => clientName;
}
