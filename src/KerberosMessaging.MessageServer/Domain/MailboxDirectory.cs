using System.Collections.Concurrent;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// The mailboxes that are in memory, by client and by number. A client is here with all its devices or not at all, and each mailbox
/// once: its numbering lives in the one object.
/// </summary>
internal sealed class MailboxDirectory(IMailboxStore store, CommitQueue queue, PushGrace grace, IWakeBus bus, TimeProvider time)
{
    // When a device was last seen is thus known to the minute, and a mailbox that is opened again and again is no disk write each time.
    private static readonly TimeSpan Moment = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<ClientId, Lazy<Task<ClientMailboxes>>> _clients = new();
    private readonly ConcurrentDictionary<long, Mailbox> _byId = new();
    private readonly ConcurrentDictionary<DeviceAddress, DateTimeOffset> _opened = new();

    /// <summary>With more clients than this, those of which nothing is in memory alone leave at the next sweep.</summary>
    public int ClientsInMemory { get; init; } = 10_000;

    /// <summary>All mailboxes in memory.</summary>
    public IEnumerable<Mailbox> All => _byId.Select(static pair => pair.Value);

    /// <summary>A mailbox, if it is in memory.</summary>
    public Mailbox? Find(long id) => _byId.GetValueOrDefault(id);

    /// <summary>A device's mailbox, if it is in memory.</summary>
    public Mailbox? Find(DeviceAddress device) =>
        _clients.TryGetValue(device.Client, out var loading) && IsLoaded(loading) ? loading.Value.Result.Find(device.Device) : null;

    /// <summary>All mailboxes of a client; none when it is not known.</summary>
    /// <exception cref="Exception">The store could not be read.</exception>
    public async ValueTask<IReadOnlyList<Mailbox>> FindAsync(ClientId client) => (await LoadAsync(client)).All;

    /// <summary>
    /// Finds a device's mailbox, or makes it, and enters it: the caller leaves it when its connection has ended. The result is
    /// null when the client has as many as one message can reach.
    /// </summary>
    public async Task<Committed<Mailbox?>> OpenAsync(DeviceAddress device, string clientName, CancellationToken cancellationToken)
    {
        while (true)
        {
            var mailbox = await TryOpenAsync(device, clientName, cancellationToken);
            if (mailbox is not { IsDone: true, Result: { } opened } || opened.TryEnter())
            {
                return mailbox;
            }
        }
    }

    /// <summary>Deletes the mailbox of a device that its client has removed, with all that waits in it.</summary>
    public async Task<Committed<bool>> CloseAsync(DeviceAddress device)
    {
        // Before, so that nothing more comes into it; and after, for whoever read it from the store in between.
        await RemoveAsync(device);
        var closed = await queue.CommitAsync(new CloseMailboxWrite(device));
        await RemoveAsync(device);
        return closed;
    }

    /// <summary>Takes out of memory what nobody has needed for a while.</summary>
    public void Sweep()
    {
        foreach (var opened in _opened)
        {
            if (!IsFresh(opened.Value))
            {
                _opened.TryRemove(opened);
            }
        }

        if (_clients.Count <= ClientsInMemory)
        {
            return;
        }

        foreach (var (client, loading) in _clients)
        {
            if (IsLoaded(loading) && loading.Value.Result.TryRetire())
            {
                _clients.TryRemove(KeyValuePair.Create(client, loading));
                foreach (var mailbox in loading.Value.Result.All)
                {
                    // This one alone: the client may have been loaded again by now.
                    _byId.TryRemove(KeyValuePair.Create(mailbox.Id, mailbox));
                }
            }
        }
    }

    private async Task RemoveAsync(DeviceAddress device)
    {
        _opened.TryRemove(device, out _);
        if (_clients.TryGetValue(device.Client, out var loading)
            && await IsLoadedAsync(loading)
            && loading.Value.Result.Remove(device.Device) is { } mailbox)
        {
            _byId.TryRemove(mailbox.Id, out _);
            mailbox.Close();
        }
    }

    private static bool IsLoaded(Lazy<Task<ClientMailboxes>> loading) =>
        loading is { IsValueCreated: true, Value.IsCompletedSuccessfully: true };

    // Once it is loaded or has failed.
    private static async Task<bool> IsLoadedAsync(Lazy<Task<ClientMailboxes>> loading)
    {
        await ((Task)loading.Value).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return IsLoaded(loading);
    }

    private async Task<Committed<Mailbox?>> TryOpenAsync(DeviceAddress device, string clientName, CancellationToken cancellationToken)
    {
        if (_opened.TryGetValue(device, out var opened) && IsFresh(opened) && Find(device) is { } known)
        {
            return new Committed<Mailbox?>(true, known);
        }

        // Before the write: a mailbox that cannot be read fails its own device here, and not all that is in one transaction with it.
        await LoadAsync(device.Client);
        var at = time.GetUtcNow();
        var state = await queue.CommitAsync(new OpenMailboxWrite(device, clientName)).WaitAsync(cancellationToken);
        if (state is not { IsDone: true, Result: { } found })
        {
            return new Committed<Mailbox?>(state.IsDone, null);
        }

        Mailbox? mailbox;
        while ((mailbox = (await LoadAsync(device.Client)).Add(device.Device, () => Make(found))) is null)
        {
        }

        _byId[mailbox.Id] = mailbox;
        _opened[device] = at;
        return new Committed<Mailbox?>(true, mailbox);
    }

    private async ValueTask<ClientMailboxes> LoadAsync(ClientId client)
    {
        if (_clients.TryGetValue(client, out var loading) && IsLoaded(loading))
        {
            return loading.Value.Result;
        }

        loading = _clients.GetOrAdd(client, key => new Lazy<Task<ClientMailboxes>>(() => ReadAsync(key)));
        try
        {
            var loaded = await loading.Value;
            if (loaded.TryRetireEmpty())
            {
                // Unknown clients are not kept: whoever asks for random ones must not fill the memory.
                _clients.TryRemove(KeyValuePair.Create(client, loading));
            }

            return loaded;
        }
        catch
        {
            _clients.TryRemove(KeyValuePair.Create(client, loading));
            throw;
        }
    }

    private async Task<ClientMailboxes> ReadAsync(ClientId client)
    {
        var mailboxes = (await store.FindAsync(client)).Select(Make).ToArray();
        foreach (var mailbox in mailboxes)
        {
            _byId[mailbox.Id] = mailbox;
        }

        return new ClientMailboxes(mailboxes);
    }

    private Mailbox Make(MailboxState state) => new(state, queue, grace, bus);

    private bool IsFresh(DateTimeOffset openedAt) => time.GetUtcNow() - openedAt < Moment;

    /// <summary>The mailboxes of one client.</summary>
    private sealed class ClientMailboxes(Mailbox[] mailboxes)
    {
        private readonly Lock _lock = new();
        private volatile Mailbox[] _all = mailboxes;
        private bool _isRetired;

        public Mailbox[] All => _all;

        public Mailbox? Find(DeviceId device) => Array.Find(_all, mailbox => mailbox.Device.Device == device);

        /// <summary>Finds or adds a device's mailbox; null when this object is not in use any more.</summary>
        public Mailbox? Add(DeviceId device, Func<Mailbox> make)
        {
            lock (_lock)
            {
                if (_isRetired)
                {
                    return null;
                }

                if (Find(device) is { } known)
                {
                    return known;
                }

                var mailbox = make();
                _all = [.. _all, mailbox];
                return mailbox;
            }
        }

        public Mailbox? Remove(DeviceId device)
        {
            lock (_lock)
            {
                var mailbox = Find(device);
                _all = Array.FindAll(_all, each => each != mailbox);
                return mailbox;
            }
        }

        public bool TryRetireEmpty()
        {
            lock (_lock)
            {
                return _isRetired |= _all.Length == 0;
            }
        }

        public bool TryRetire()
        {
            lock (_lock)
            {
                _isRetired = Array.TrueForAll(_all, static mailbox => mailbox.TryRetire());
                if (!_isRetired)
                {
                    Array.ForEach(_all, static mailbox => mailbox.ComeBack());
                }

                return _isRetired;
            }
        }
    }
}
