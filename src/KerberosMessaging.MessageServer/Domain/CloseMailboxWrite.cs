namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Deletes the mailbox of a device that its client has removed, with all that waits in it: senders must leave the device out,
/// and could not while it has a mailbox. The result is whether there was one.
/// </summary>
internal sealed class CloseMailboxWrite(DeviceAddress device) : StoreWrite<bool>
{
    public DeviceAddress Device => device;

    /// <summary>Set by the store: the number of the mailbox that there was.</summary>
    public long Mailbox { get; set; }
}
