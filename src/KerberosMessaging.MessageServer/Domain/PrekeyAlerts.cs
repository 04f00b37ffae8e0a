namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Tells devices that few of their one-time prekeys are left, down the connection that they receive on. One that is away asks
/// when it comes.
/// </summary>
internal sealed class PrekeyAlerts(MailboxDirectory mailboxes, TimeProvider time)
{
    /// <summary>Tells a device, if it is there and was not told a moment ago.</summary>
    public void Tell(DeviceAddress device, PrekeyStock stock)
    {
        if (mailboxes.Find(device)?.Receiver is { } connection && connection.TryBeginAlert(time.GetUtcNow()))
        {
            connection.TellPrekeysLow(stock);
        }
    }
}
