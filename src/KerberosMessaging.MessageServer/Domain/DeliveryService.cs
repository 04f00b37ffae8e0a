namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Decides down which connection each device's mail flows, and wakes it when mail waits.</summary>
internal sealed class DeliveryService : IDisposable
{
    private readonly MailboxDirectory _mailboxes;
    private readonly IPresence _presence;
    private readonly IWakeBus _bus;
    private readonly IDisposable _subscription;

    public DeliveryService(
        IMailboxStore store,
        MailboxDirectory mailboxes,
        IPresence presence,
        IWakeBus bus,
        TimeProvider time,
        ILogger<DeviceConnection> logger,
        MessageCounts? counts = null)
    {
        Counts = counts ?? new MessageCounts();
        Store = store;
        Time = time;
        Logger = logger;
        Failures = new FailureReports(time);
        _mailboxes = mailboxes;
        _presence = presence;
        _bus = bus;
        _subscription = bus.Subscribe(Take);
    }

    public IMailboxStore Store { get; }

    public TimeProvider Time { get; }

    public ILogger Logger { get; }

    /// <summary>Is told what was delivered.</summary>
    public MessageCounts Counts { get; }

    /// <summary>Of mailboxes that cannot be read, all together.</summary>
    public FailureReports Failures { get; }

    /// <summary>
    /// Lets more messages flow. The first credit makes the connection its device's one; an older one is told and ends.
    /// </summary>
    /// <param name="connection">The connection.</param>
    /// <param name="messages">How many more messages the device takes.</param>
    public async ValueTask GrantAsync(DeviceConnection connection, uint messages)
    {
        if (connection.TryClaim())
        {
            connection.Epoch = await _presence.ClaimAsync(connection.Device);
            connection.Mailbox.Attach(connection)?.TakeOver();

            // For the node that held the device before, if that is another one.
            _bus.Publish(WakeHint.TakenOver(connection.Device, connection.Epoch));
        }

        if (connection.Mailbox.Grant(connection, messages))
        {
            connection.Wake();
        }
    }

    /// <summary>The number of the newest message that waits for a device; 0 when none does.</summary>
    public async ValueTask<long> FindNewestAsync(DeviceConnection connection)
    {
        var unsettled = connection.Mailbox.NewestUnsettled(out var isStored);
        return isStored
            ? Math.Max(unsettled, await Store.ReadNewestAsync(connection.Mailbox.Id, Time.GetUtcNow()))
            : unsettled;
    }

    /// <summary>Forgets a connection that has ended.</summary>
    public void Detach(DeviceConnection connection)
    {
        connection.Mailbox.Leave(connection);
        if (connection.Epoch > 0)
        {
            _presence.Release(connection.Device, connection.Epoch);
        }
    }

    public void Dispose() => _subscription.Dispose();

    private void Take(WakeHint hint)
    {
        switch (hint.Kind)
        {
            case WakeKind.MailWaits:
                _mailboxes.Find(hint.Device)?.Receiver?.Wake();
                break;
            case WakeKind.TakenOver:
                if (_mailboxes.Find(hint.Device)?.Receiver is { } receiver && receiver.Epoch < hint.Epoch)
                {
                    receiver.TakeOver();
                }

                break;
            case WakeKind.Gap:
                // Hints were lost: everyone looks for itself.
                foreach (var mailbox in _mailboxes.All)
                {
                    mailbox.Receiver?.Wake();
                }

                break;
            default:
                throw new InvalidOperationException("A hint is of no known kind.");
        }
    }
}
