using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.MessageServer.Domain;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>The server from the relay down to a store, without wire and host. Its clock is its own.</summary>
internal sealed class TestCore : IAsyncDisposable
{
    private readonly LoggerFactory _loggers;
    private bool _isStopped;

    private TestCore(IMailboxStore store, MailboxOptions limits, DateTimeOffset now, int clientsInMemory)
    {
        _loggers = new LoggerFactory([Log]);
        Store = store;
        Time = new FakeTimeProvider(now);
        var options = Options.Create(limits);
        Queue = new CommitQueue(store, Time, _loggers.CreateLogger<CommitQueue>());
        Grace = new PushGrace(options, Time);
        Mailboxes = new MailboxDirectory(store, Queue, Grace, Bus, Time) { ClientsInMemory = clientsInMemory };
        var guard = new StoreGuard(store, options, Options.Create(new DataOptions()), Time, _loggers.CreateLogger<StoreGuard>());
        Relay = new Relay(Mailboxes, Queue, store, guard, options, _loggers.CreateLogger<Relay>());
        Queues = new QueueReader(store, Queue, Mailboxes, Time);
        Cleaner = new MailboxCleaner(Queue, Mailboxes, Queues);
        Deliveries = new DeliveryService(store, Mailboxes, new InProcessPresence(), Bus, Time, _loggers.CreateLogger<DeviceConnection>());
    }

    public IMailboxStore Store { get; }

    public FakeTimeProvider Time { get; }

    public LogLines Log { get; } = new();

    public InProcessWakeBus Bus { get; } = new();

    public CommitQueue Queue { get; }

    public PushGrace Grace { get; }

    public MailboxDirectory Mailboxes { get; }

    public Relay Relay { get; }

    public DeliveryService Deliveries { get; }

    public QueueReader Queues { get; }

    public MailboxCleaner Cleaner { get; }

    public static async Task<TestCore> StartAsync(
        IMailboxStore store, MailboxOptions limits, DateTimeOffset now, int clientsInMemory = 10_000)
    {
        var core = new TestCore(store, limits, now, clientsInMemory);
        await core.Queue.StartAsync(CancellationToken.None);
        return core;
    }

    /// <summary>Makes a connection of a device, which wants no mail before credit is granted.</summary>
    public async Task<TestConnection> ConnectAsync(TestDevice device)
    {
        var opened = await Mailboxes.OpenAsync(device.Address, device.Name, TestContext.Current.CancellationToken);
        Assert.True(opened.IsDone);
        return new TestConnection(opened.Result!, Deliveries);
    }

    /// <summary>Makes a connection that gets mail.</summary>
    public async Task<TestConnection> ConnectAsync(TestDevice device, uint credit)
    {
        var connection = await ConnectAsync(device);
        await Deliveries.GrantAsync(connection, credit);
        return connection;
    }

    /// <summary>The connection ends, and the server notices.</summary>
    public void Disconnect(TestConnection connection)
    {
        connection.Close();
        Deliveries.Detach(connection);
    }

    /// <summary>Gives a message to the relay; it may be answered later.</summary>
    public async Task<TestSend> SendAsync(TestConnection sender, Submission submission)
    {
        var send = new TestSend(submission, Time.GetUtcNow());
        await Relay.SendAsync(send, sender.Mailbox);
        return send;
    }

    /// <summary>Acknowledges as the request does.</summary>
    /// <returns>Whether it is carried out; it is done at once when nothing of it was on disk.</returns>
    public async Task<bool> AcknowledgeAsync(TestConnection connection, params MailboxRange[] ranges)
    {
        if (connection.Mailbox.Acknowledge(ranges) is not { } delete)
        {
            return true;
        }

        return (await Queue.CommitAsync(delete).WaitAsync(TestContext.Current.CancellationToken)).IsDone;
    }

    /// <summary>Waits until the writer has carried out all that was given to it before, and what came of that.</summary>
    public async Task SettleAsync()
    {
        for (var i = 0; i < 2; i++)
        {
            await Queue.CommitAsync(new CloseMailboxWrite(TestDevice.Of("nobody").Address)).WaitAsync(Until.Deadline, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Measures what is on disk, as after a start.</summary>
    public async Task MeasureAsync()
    {
        using var measurer = new MailboxMeasurer(Store, Queue, Time, _loggers.CreateLogger<MailboxMeasurer>());
        await measurer.StartAsync(TestContext.Current.CancellationToken);
        await measurer.ExecuteTask!.WaitAsync(Until.Deadline, TestContext.Current.CancellationToken);
    }

    /// <summary>What waits for a device on disk.</summary>
    public async Task<IReadOnlyList<StoredEnvelope>> StoredAsync(TestConnection connection) =>
        await Store.ReadAsync(connection.Mailbox.Id, 0, Time.GetUtcNow(), int.MaxValue, long.MaxValue);

    /// <summary>Stops as the host does; what waits is on disk then.</summary>
    public async Task StopAsync()
    {
        _isStopped = true;
        await Queue.StopAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_isStopped)
        {
            await StopAsync();
        }

        Deliveries.Dispose();
        Queues.Dispose();
        Grace.Dispose();
        _loggers.Dispose();
    }
}
