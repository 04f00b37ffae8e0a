using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Attaches connections to mailboxes.</summary>
internal sealed class DeliveryService(
    IMailboxStore store,
    Presence presence,
    TimeProvider time,
    ILogger<DeviceConnection> logger)
{
    /// <summary>Makes a connection its device's one; an older one is told and ends.</summary>
    /// <param name="session">The channel's session id.</param>
    /// <param name="device">The device, as its ticket proved it.</param>
    /// <param name="mailbox">Its mailbox.</param>
    /// <param name="push">Sends a message to the device, waiting for room; false when the connection has ended.</param>
    /// <param name="takeOver">Ends the connection because a newer one took its place.</param>
    /// <param name="closing">Cancelled when the connection ends.</param>
    public DeviceConnection Connect(
        SessionId session,
        DeviceAddress device,
        long mailbox,
        Func<StoredEnvelope, ValueTask<bool>> push,
        Action takeOver,
        CancellationToken closing)
    {
        var connection = new DeviceConnection(session, device, mailbox, store, push, takeOver, time, logger, closing);
        presence.Claim(connection);
        return connection;
    }

    /// <summary>Forgets a connection that has ended.</summary>
    public void Disconnect(DeviceConnection connection) => presence.Release(connection);
}
