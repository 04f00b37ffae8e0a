using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Conversations;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>
/// A device with all of the SDK but its connections: a real store, and what is said to servers and done about their answers, put together
/// like <see cref="MessagingClient"/> does it.
/// </summary>
internal sealed class SimulatedDevice : IDisposable
{
    private readonly SimulatedRealm _realm;
    private readonly SimulatedServer _server;
    private readonly SimulatedClock _clock;
    private readonly SecretBytes _storeKey;
    private readonly MessagingOptions _options;
    private LocalStore? _store;
    private ThisDevice _self = null!;
    private Contacts _contacts = null!;
    private Sender _sender = null!;
    private Incoming _incoming = null!;
    private PrekeyKeeper _prekeys = null!;
    private Linking _linking = null!;
    private Errands _errands = null!;
    private bool _isPutBack;

    private SimulatedDevice(
        SimulatedRealm realm, SimulatedServer server, SimulatedClock clock, ClientId client, DeviceId id, string path, SecretBytes storeKey)
    {
        (_realm, _server, _clock, Client, Id, Path, _storeKey) = (realm, server, clock, client, id, path, storeKey);
        Connection = new SimulatedConnection(realm, server, client, id);

        // No operation is tried twice: the first wait would be longer than an operation may take.
        _options = new MessagingOptions
        {
            StorePath = path,
            Time = clock,
            OperationTimeout = TimeSpan.FromSeconds(30),
            FirstReconnectDelay = TimeSpan.FromMinutes(1),
        };
    }

    public ClientId Client { get; }

    public DeviceId Id { get; }

    public string Path { get; }

    public string Name => _realm.NameOf(Client);

    public SimulatedConnection Connection { get; }

    public LocalStore Store => _store!;

    public Linking Linking => _linking;

    public Contacts Contacts => _contacts;

    public Sender Sender => _sender;

    public bool IsConnected { get; private set; }

    public SimulatedMailbox Mailbox => _server.MailboxOf(Id);

    /// <summary>Makes a device as a login does, and switches it on.</summary>
    public static SimulatedDevice Enrol(SimulatedRealm realm, SimulatedServer server, SimulatedClock clock, ClientId client, string path)
    {
        using var outerKey = SecretBytes.Random(AuthenticatedCbc.KeySize);
        using var store = LocalStore.OpenOrCreate(path, outerKey);
        var id = store.Write(transaction =>
        {
            DeviceKeys.Ensure(transaction, clock.GetUtcNow());
            using var identity = DeviceKeys.Identity(transaction);
            var id = DeviceKeys.Device(transaction);
            var certificate = realm.Enrol(client, id, identity.Public);
            new Account(client, realm.NameOf(client), id, certificate, realm.PublicKey, SessionId.New()).Save(transaction);
            return id;
        });
        return Open(realm, server, clock, client, id, path, store.CopyKey());
    }

    /// <summary>Goes on with a store.</summary>
    public static SimulatedDevice Open(
        SimulatedRealm realm, SimulatedServer server, SimulatedClock clock, ClientId client, DeviceId id, string path, SecretBytes storeKey)
    {
        var device = new SimulatedDevice(realm, server, clock, client, id, path, storeKey);
        device.Start();
        return device;
    }

    /// <summary>A copy of the store, and its key.</summary>
    public SecretBytes CopyStore(string path)
    {
        Stop();
        File.Copy(Path, path, overwrite: true);
        Start();
        return _storeKey.Clone();
    }

    /// <summary>Puts an earlier copy of the store in the place of the present one.</summary>
    /// <param name="path">The copy.</param>
    /// <param name="isBackup">Whether it is one that says what it is, without sessions and prekeys.</param>
    public void PutBack(string path, bool isBackup)
    {
        Stop();
        File.Copy(path, Path, overwrite: true);
        _store = LocalStore.Open(Path, _storeKey);
        _store.Write(transaction =>
        {
            if (isBackup)
            {
                transaction.RemoveSessions();
                transaction.RemoveSettings(DeviceKeys.PrekeysSetting);
                DeviceKeys.Ensure(transaction, _clock.GetUtcNow());
                transaction.SetSetting(DeviceKeys.RestoredSetting, [1]);
            }

            using var prekeys = DeviceKeys.Prekeys(transaction);
            _isPutBack = isBackup || (_server.HasMailbox(Id) && prekeys.NewestOneTimeId < Mailbox.NewestOneTimeId);
        });
        _store.Dispose();
        Start();
    }

    /// <summary>Switches off, without a word to anybody, and on again.</summary>
    public void Restart()
    {
        Stop();
        Start();
    }

    /// <summary>Does what a client does on each new connection.</summary>
    public void Connect()
    {
        Wait(_linking.EnsureAsync(CancellationToken.None));
        Wait(_contacts.FindAsync(Name, CancellationToken.None));
        Wait(_prekeys.RunAsync(Connection, CancellationToken.None));
        if (_isPutBack)
        {
            Assert.False(Store.Read(HasAnySession), "A device that was put back goes on with a session.");
            _isPutBack = false;
        }

        IsConnected = true;
        Wait(_sender.FlushOutboxAsync(CancellationToken.None));
    }

    public SentMessage Send(string recipient, MessageContent content) =>
        Wait(_sender.SendAsync(recipient, content, CancellationToken.None));

    public SentMessage Send(string recipient, string text) => Send(recipient, MessageContent.OfText(text, _clock.GetUtcNow()));

    /// <summary>Takes a delivery and, if it is to, acknowledges it.</summary>
    public void Take(Deliver delivery, bool acknowledge)
    {
        Store.Write(transaction => _incoming.Take(transaction, delivery));
        if (acknowledge)
        {
            Mailbox.Waiting.Remove(delivery);
        }
    }

    /// <summary>Takes and acknowledges all that waits.</summary>
    public int TakeAll()
    {
        var waiting = Mailbox.Waiting.ToList();
        waiting.ForEach(delivery => Take(delivery, acknowledge: true));
        return waiting.Count;
    }

    /// <summary>Does what a client does whenever its mailbox is empty, and from time to time.</summary>
    public void FollowUp()
    {
        Wait(_errands.RunAsync(CancellationToken.None));
        if (Mailbox.IsLow || _prekeys.IsDue)
        {
            Mailbox.IsLow = false;
            Wait(_prekeys.RunAsync(Connection, CancellationToken.None));
        }
    }

    /// <summary>The newest of the history, oldest first, with what stands in the way of showing it.</summary>
    public List<(StoredMessage Message, MessageProblem Problem)> History(int newest = int.MaxValue) => Store.Read(transaction =>
        transaction.ListMessages(null, null, newest).Select(message => (message, ProblemOf(transaction, message))).Reverse().ToList());

    /// <summary>The texts of others that are shown.</summary>
    public List<string> Texts() => [.. History()
        .Where(static entry => entry is { Message.IsOutgoing: false, Problem: MessageProblem.None })
        .Select(static entry => entry.Message.Content?.Text ?? "?")];

    public void Dispose()
    {
        Stop();
        _storeKey.Dispose();
    }

    private static bool HasAnySession(StoreTransaction transaction) => transaction.ListContacts().Exists(contact =>
        transaction.ListDevices(contact.Client).Exists(device => Outgoing.HasSession(transaction, contact.Client, device.Device)));

    private MessageProblem ProblemOf(StoreTransaction transaction, StoredMessage message) =>
        message.Problem != MessageProblem.None || message.IsOutgoing ? message.Problem
        : transaction.FindDevice(message.Peer, message.Device) is { } device
            && _contacts.StandingOf(transaction, message.Peer, device) != DeviceStanding.Unlinked ? MessageProblem.None
        : MessageProblem.UnlinkedDevice;

    // Nobody waits in a simulation, so that a schedule is played the same way each time.
    private static T Wait<T>(Task<T> task)
    {
        Assert.True(task.IsCompleted, "Something waits for real time.");
        return task.GetAwaiter().GetResult();
    }

    private static void Wait(Task task)
    {
        Assert.True(task.IsCompleted, "Something waits for real time.");
        task.GetAwaiter().GetResult();
    }

    private void Start()
    {
        _store = LocalStore.Open(Path, _storeKey);
        var account = _store.Read(Account.Load)!;
        var clock = new ServerClock(_clock);
        _self = ThisDevice.Load(_store, account);
        _contacts = new Contacts(_store, Connection.Auth, account, _options);
        _sender = new Sender(_store, _contacts, Connection, _self, _options);
        _incoming = new Incoming(_self, _contacts, _options);
        _prekeys = new PrekeyKeeper(_store, _self, _options);
        _linking = new Linking(_store, _self, _contacts, Connection.Auth, _sender, clock, _options);
        _errands = new Errands(_store, _contacts, _sender, clock, _self, _options);
    }

    private void Stop()
    {
        IsConnected = false;
        if (_store is null)
        {
            return;
        }

        _errands.Dispose();
        _prekeys.Dispose();
        _self.Dispose();
        _store.Dispose();
        _store = null;
    }
}
