using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Attaches connections to mailboxes.</summary>
internal sealed class DeliveryService(
    IMailboxStore store,
    Presence presence,
    TimeProvider time,
    ILogger<DeviceConnection> logger)
{
    /// <summary>
    /// Attaches a connection to its device's mailbox. Nothing flows yet: a connection that only sends leaves the device's
    /// mail to another one.
    /// </summary>
    /// <param name="session">The channel's session id.</param>
    /// <param name="device">The device, as its ticket proved it.</param>
    /// <param name="mailbox">Its mailbox.</param>
    /// <param name="push">Sends a message to the device, waiting for room; false when the connection has ended.</param>
    /// <param name="takeOver">Ends the connection because a newer one took its place.</param>
    /// <param name="closing">Cancelled when the connection ends.</param>
    public DeviceConnection Attach(
        SessionId session,
        DeviceAddress device,
        long mailbox,
        Func<StoredEnvelope, ValueTask<bool>> push,
        Action takeOver,
        CancellationToken closing) => new(session, device, mailbox, store, push, takeOver, time, logger, closing);

    /// <summary>
    /// Lets more messages flow. The first credit makes the connection its device's one; an older one is told and ends.
    /// </summary>
    /// <param name="connection">The connection.</param>
    /// <param name="messages">How many more messages the device takes.</param>
    /// <returns>The newest message that waited just then; 0 when none did.</returns>
    public async ValueTask<long> GrantAsync(DeviceConnection connection, uint messages)
    {
        presence.Claim(connection);
        var newest = await store.ReadNewestAsync(connection.Mailbox, time.GetUtcNow());
        connection.Grant(messages);
        return newest;
    }

    /// <summary>Forgets a connection that has ended.</summary>
    public void Detach(DeviceConnection connection) => presence.Release(connection);
}
