using System.Collections.Immutable;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>
/// A store in memory, held to the same contract as the others. Tests can hold up its writes, let them fail, and take it away with
/// whatever is not committed; thousands of schedules with it take seconds.
/// </summary>
internal sealed class MemoryMailboxStore : IMailboxStore, IDisposable
{
    private readonly Disk _disk;
    private readonly ManualResetEventSlim _open = new(true);
    private readonly SemaphoreSlim _entered = new(0);
    private volatile bool _isLost;
    private volatile bool _fails;

    public MemoryMailboxStore(Disk disk) => _disk = disk;

    /// <summary>Every envelope that was ever committed, by mailbox and number.</summary>
    public ImmutableHashSet<(long Mailbox, long Sequence)> Inserted => _disk.Committed.Inserted;

    /// <summary>Whether writes fail; reads are not touched.</summary>
    public bool Fails
    {
        get => _fails;
        set => _fails = value;
    }

    /// <summary>Whether reads fail.</summary>
    public bool FailsReads { get; set; }

    /// <summary>The next transaction waits.</summary>
    public void Hold()
    {
        while (_entered.Wait(0))
        {
        }

        _open.Reset();
    }

    /// <summary>Waits until a transaction is held up.</summary>
    public Task HeldAsync() => _entered.WaitAsync(TestContext.Current.CancellationToken);

    public void Release() => _open.Set();

    /// <summary>As when the process is killed: nothing is committed from now on.</summary>
    public void Lose()
    {
        lock (_disk)
        {
            _isLost = true;
        }

        Release();
    }

    public void Dispose()
    {
        _open.Dispose();
        _entered.Dispose();
    }

    public ValueTask WriteAsync(IReadOnlyList<StoreWrite> writes, DateTimeOffset now)
    {
        if (!_open.IsSet)
        {
            _entered.Release();
            _open.Wait();
        }

        lock (_disk)
        {
            if (_isLost)
            {
                // Nobody is there any more to be told anything; an error would only make the writer pause.
                return ValueTask.CompletedTask;
            }

            if (_fails)
            {
                throw new IOException("The store fails, as the test wants.");
            }

            var state = _disk.Committed;
            foreach (var write in writes)
            {
                state = Carry(state, write, now);
            }

            _disk.Committed = state;
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<MailboxState>> FindAsync(ClientId client)
    {
        var state = Read();
        return new([.. state.Mailboxes.Values.Where(box => box.Device.Client == client).Select(box => StateOf(state, box))]);
    }

    public ValueTask<(long LastNumber, IReadOnlyList<SentId> Ids)> ReadSentAsync(long mailbox)
    {
        var rows = Read().Sent.Where(row => row.Key.Mailbox == mailbox).ToArray();
        return new((rows.Length == 0 ? 0 : rows[^1].Key.Number, [.. rows.SelectMany(static row => row.Value)]));
    }

    public ValueTask<IReadOnlyList<StoredEnvelope>> ReadAsync(long mailbox, long after, DateTimeOffset now, int maxCount, long maxBytes)
    {
        var envelopes = new List<StoredEnvelope>();
        var bytes = 0L;
        foreach (var (key, stored) in Read().Envelopes)
        {
            if (envelopes.Count == maxCount || bytes >= maxBytes)
            {
                break;
            }

            if (key.Mailbox == mailbox && key.Sequence > after && stored.ExpiresAt > now)
            {
                envelopes.Add(stored.Envelope);
                bytes += stored.Envelope.Body.Length;
            }
        }

        return new(envelopes);
    }

    public ValueTask<long> ReadNewestAsync(long mailbox, DateTimeOffset now) => new(Read().Envelopes
        .Where(pair => pair.Key.Mailbox == mailbox && pair.Value.ExpiresAt > now)
        .Select(static pair => pair.Key.Sequence).LastOrDefault());

    public ValueTask<PrekeyStock> ReadPrekeyStockAsync(long mailbox) =>
        new(Read().Mailboxes.TryGetValue(mailbox, out var box) ? box.Prekeys.Stock : default);

    public ValueTask<IReadOnlyList<QueueState>> ReadQueuesAsync(QueuePosition? after, int maxCount)
    {
        var state = Read();
        return new([.. Page(state, after, maxCount).Select(box => QueueOf(state, box))]);
    }

    public ValueTask<IReadOnlyList<QueueState>> FindQueuesAsync(QueueFilter filter)
    {
        var state = Read();
        return new([.. Find(state, filter).Select(box => QueueOf(state, box))]);
    }

    public ValueTask<IReadOnlyList<(long Mailbox, DateTimeOffset AcceptedAt)>> ReadOldestAsync() => new([.. Read().Envelopes
        .GroupBy(static pair => pair.Key.Mailbox).Select(static group => (group.Key, group.First().Value.Envelope.AcceptedAt))]);

    public ValueTask<(IReadOnlyList<MeasuredMailbox> Measured, bool HasMore)> MeasureAsync(long after, int limit) =>
        new(Measure(Read(), after, limit));

    public ValueTask<long> CountMailboxesAsync() => new(Read().Mailboxes.Count);

    public ValueTask<IReadOnlyList<DevicePrekeyStock>> ReadPrekeyStocksAsync(QueuePosition? after, int maxCount) =>
        new([.. Page(Read(), after, maxCount).Select(StockOf)]);

    public ValueTask<IReadOnlyList<DevicePrekeyStock>> FindPrekeyStocksAsync(QueueFilter filter) =>
        new([.. Find(Read(), filter).Select(StockOf)]);

    public ValueTask<long> ReadSizeAsync() => new(Read().Envelopes.Values.Sum(static stored => (long)stored.Envelope.Body.Length));

    private static (string, string) Place(string name, DeviceId device) =>
        (name, Convert.ToHexString(device.Value.ToByteArray(bigEndian: true)));

    private static IEnumerable<Box> Page(State state, QueuePosition? after, int maxCount) => state.Mailboxes.Values
        .OrderBy(static box => Place(box.Name, box.Device.Device), Comparer<(string, string)>.Create(Compare))
        .Where(box => after is not { } place || Compare(Place(box.Name, box.Device.Device), Place(place.ClientName, place.Device)) > 0)
        .Take(maxCount);

    private static IEnumerable<Box> Find(State state, QueueFilter filter) => state.Mailboxes.Values
        .Where(box => filter switch
        {
            { Mailbox: { } mailbox } => box.Id == mailbox,
            { Client: { } client } => box.Device.Client == client,
            { ClientName: { } name } => box.Name == name,
            { Device: { } device } => box.Device.Device == device,
            _ => throw new ArgumentException("The filter is empty.", nameof(filter)),
        })
        .OrderBy(static box => Place(box.Name, box.Device.Device), Comparer<(string, string)>.Create(Compare))
        .Take(QueueFilter.Most);

    private static DevicePrekeyStock StockOf(Box box) =>
        new(box.Name, box.Device, box.Prekeys.Bundle is not null, box.Prekeys.Stock, box.Prekeys.UploadedAt);

    private static QueueState QueueOf(State state, Box box)
    {
        var waiting = Waiting(state, box.Id).ToArray();
        return new QueueState(
            box.Id,
            box.Name,
            box.Device,
            waiting.Length,
            waiting.Sum(static stored => (long)stored.Envelope.Body.Length),
            waiting.Length == 0 ? null : waiting.Min(static stored => stored.Envelope.AcceptedAt),
            waiting.Length == 0 ? null : waiting[0].Envelope.Sequence,
            waiting.Length == 0 ? null : waiting[^1].Envelope.Sequence,
            box.LastSeenAt);
    }

    private static int Compare((string Name, string Device) one, (string Name, string Device) other) =>
        string.CompareOrdinal(one.Name, other.Name) is var names and not 0 ? names : string.CompareOrdinal(one.Device, other.Device);

    private State Read() => FailsReads ? throw new IOException("The store cannot be read, as the test wants.") : _disk.Committed;

    private static IEnumerable<Stored> Waiting(State state, long mailbox) =>
        state.Envelopes.Where(pair => pair.Key.Mailbox == mailbox).Select(static pair => pair.Value);

    private static MailboxState StateOf(State state, Box box)
    {
        var waiting = Waiting(state, box.Id).ToArray();
        return new MailboxState(
            box.Id, box.Device, box.ReservedThrough, waiting.Length, waiting.Sum(static stored => (long)stored.Envelope.Body.Length));
    }

    private static State Carry(State state, StoreWrite write, DateTimeOffset now)
    {
        switch (write)
        {
            case AppendWrite append:
                var key = (append.MailboxId, append.Envelope.Sequence);
                return state with
                {
                    Envelopes = state.Envelopes.Add(key, new Stored(append.Envelope, append.ExpiresAt)),
                    Inserted = state.Inserted.Add(key),
                };
            case AcknowledgeWrite acknowledge:
                var found = state.Envelopes.Where(pair => pair.Key.Mailbox == acknowledge.Mailbox
                    && acknowledge.Ranges.Any(range => range.First <= pair.Key.Sequence && pair.Key.Sequence <= range.Last)).ToArray();
                acknowledge.Result = new Deleted(found.Length, found.Sum(static pair => (long)pair.Value.Envelope.Body.Length));
                return state with { Envelopes = state.Envelopes.RemoveRange(found.Select(static pair => pair.Key)) };
            case ReserveWrite reserve:
                return Change(state, reserve.Mailbox, box => box with { ReservedThrough = Math.Max(box.ReservedThrough, reserve.Through) });
            case RememberWrite remember:
                var forgotten = state.Sent.Keys.Where(row =>
                    row.Mailbox == remember.Mailbox && row.Number <= remember.Number - SenderHistory.Remembered);
                return state with { Sent = state.Sent.RemoveRange(forgotten).Add((remember.Mailbox, remember.Number), [.. remember.Ids]) };
            case OpenMailboxWrite open:
                return Open(state, open, now);
            case CloseMailboxWrite close:
                var closed = state.Mailboxes.Values.FirstOrDefault(box => box.Device == close.Device);
                close.Result = closed is not null;
                close.Mailbox = closed?.Id ?? 0;
                return closed is null
                    ? state
                    : state with
                    {
                        Mailboxes = state.Mailboxes.Remove(closed.Id),
                        Envelopes = state.Envelopes.RemoveRange(state.Envelopes.Keys.Where(row => row.Mailbox == closed.Id)),
                        Sent = state.Sent.RemoveRange(state.Sent.Keys.Where(row => row.Mailbox == closed.Id)),
                    };
            case UploadPrekeysWrite upload:
                return Upload(state, upload, now);
            case TakePrekeysWrite take:
                return Take(state, take);
            case SweepWrite sweep:
                return Sweep(state, sweep, now);
            case DiscardWrite discard:
                var old = state.Envelopes
                    .Where(pair => pair.Key.Mailbox == discard.Mailbox && pair.Key.Sequence <= discard.Through
                        && pair.Value.Envelope.AcceptedAt < discard.AcceptedBefore)
                    .Take(discard.Limit).ToArray();
                discard.Result = new Deleted(old.Length, old.Sum(static pair => (long)pair.Value.Envelope.Body.Length));
                return state with { Envelopes = state.Envelopes.RemoveRange(old.Select(static pair => pair.Key)) };
            case MeasureWrite measure:
                (measure.Result, measure.HasMore) = Measure(state, measure.After, measure.Limit);
                return state;
            case ProbeWrite:
                return state;
            default:
                throw new NotSupportedException($"The store does not know {write.GetType().Name}.");
        }
    }

    private static (IReadOnlyList<MeasuredMailbox> Measured, bool HasMore) Measure(State state, long after, int limit)
    {
        var measured = new List<MeasuredMailbox>();
        var groups = state.Envelopes.Where(pair => pair.Key.Mailbox > after).GroupBy(static pair => pair.Key.Mailbox).ToArray();
        foreach (var group in groups)
        {
            if (measured.Sum(static each => each.Count) >= limit)
            {
                break;
            }

            measured.Add(new MeasuredMailbox(
                group.Key, group.Count(), group.Sum(static pair => (long)pair.Value.Envelope.Body.Length)));
        }

        return (measured, measured.Sum(static each => each.Count) >= limit);
    }

    private static State Change(State state, long mailbox, Func<Box, Box> change) =>
        state.Mailboxes.TryGetValue(mailbox, out var box)
            ? state with { Mailboxes = state.Mailboxes.SetItem(mailbox, change(box)) }
            : state;

    private static State Open(State state, OpenMailboxWrite open, DateTimeOffset now)
    {
        if (state.Mailboxes.Values.FirstOrDefault(box => box.Device == open.Device) is { } known)
        {
            open.Result = StateOf(state, known);
            return Change(state, known.Id, box => box with { Name = open.ClientName, LastSeenAt = now });
        }

        if (state.Mailboxes.Values.Count(box => box.Device.Client == open.Device.Client) >= ProtocolLimits.DevicesPerClient)
        {
            open.Result = null;
            return state;
        }

        var made = new Box(state.LastMailbox + 1, open.Device, open.ClientName, 0, now, Prekeys.None);
        open.Result = StateOf(state, made);
        return state with { LastMailbox = made.Id, Mailboxes = state.Mailboxes.Add(made.Id, made) };
    }

    private static State Upload(State state, UploadPrekeysWrite upload, DateTimeOffset now)
    {
        if (!state.Mailboxes.TryGetValue(upload.Mailbox, out var box))
        {
            upload.Result = new PrekeyUpload(PrekeyUploadStatus.NoMailbox);
            return state;
        }

        var before = box.Prekeys;
        var keys = before.Keys.RemoveAll(key => key.Id < upload.DropBelow)
            .AddRange(upload.Keys.Where(key => key.Id > before.Newest[key.Kind]));
        if (keys.GroupBy(static key => key.Kind).Any(static kind => kind.Count() > ProtocolLimits.OneTimePrekeysPerKind))
        {
            upload.Result = new PrekeyUpload(PrekeyUploadStatus.TooMany);
            return state;
        }

        var newest = upload.Keys.Aggregate(
            before.Newest, static (newest, key) => newest.SetItem(key.Kind, Math.Max(newest[key.Kind], key.Id)));
        var after = before with { Bundle = upload.Bundle.Length > 0 ? upload.Bundle : before.Bundle, Keys = keys, Newest = newest, UploadedAt = now };
        upload.Result = new PrekeyUpload(PrekeyUploadStatus.Stored, after.Stock);
        return Change(state, upload.Mailbox, box => box with { Prekeys = after });
    }

    private static State Take(State state, TakePrekeysWrite take)
    {
        var boxes = state.Mailboxes.Values.Where(box => box.Device.Client == take.Client).OrderBy(static box => box.Id).ToArray();
        var taken = new List<DevicePrekeys>();
        foreach (var box in boxes)
        {
            if (box.Prekeys.Bundle is { } bundle && box.Device != take.Requester && take.Devices.Contains(box.Device.Device))
            {
                var prekeys = box.Prekeys;
                var given = new List<OneTimePrekey>();
                foreach (var kind in Enum.GetValues<OneTimePrekeyKind>())
                {
                    if (prekeys.Keys.Where(key => key.Kind == kind).MinBy(static key => key.Id) is { } key)
                    {
                        given.Add(key);
                        prekeys = prekeys with { Keys = prekeys.Keys.Remove(key) };
                    }
                    else
                    {
                        prekeys = prekeys with { Misses = prekeys.Misses.SetItem(kind, prekeys.Misses[kind] + 1) };
                    }
                }

                taken.Add(new DevicePrekeys(box.Device.Device, bundle, given, prekeys.Stock));
                state = Change(state, box.Id, box => box with { Prekeys = prekeys });
            }
        }

        take.Result = boxes.Length == 0 ? null : taken;
        return state;
    }

    private static State Sweep(State state, SweepWrite sweep, DateTimeOffset now)
    {
        var expired = state.Envelopes.Where(pair => pair.Value.ExpiresAt <= now).Take(sweep.Limit).ToArray();
        var ids = state.Sent.Where(row => row.Value[^1].AcceptedAt < sweep.IdsBefore).Take(sweep.Limit).ToArray();
        sweep.Result = [.. expired.GroupBy(static pair => pair.Key.Mailbox).Select(static group => new SweptEnvelopes(
            group.Key, group.Count(), group.Sum(static pair => (long)pair.Value.Envelope.Body.Length)))];
        sweep.HasMore = expired.Length == sweep.Limit || ids.Length == sweep.Limit;
        return state with
        {
            Envelopes = state.Envelopes.RemoveRange(expired.Select(static pair => pair.Key)),
            Sent = state.Sent.RemoveRange(ids.Select(static row => row.Key)),
        };
    }

    /// <summary>What outlives a store.</summary>
    internal sealed class Disk
    {
        private State _committed = new(
            0,
            ImmutableDictionary<long, Box>.Empty,
            ImmutableSortedDictionary<(long, long), Stored>.Empty,
            ImmutableSortedDictionary<(long, long), ImmutableArray<SentId>>.Empty,
            []);

        public State Committed
        {
            get => Volatile.Read(ref _committed);
            set => Volatile.Write(ref _committed, value);
        }
    }

    internal sealed record State(
        long LastMailbox,
        ImmutableDictionary<long, Box> Mailboxes,
        ImmutableSortedDictionary<(long Mailbox, long Sequence), Stored> Envelopes,
        ImmutableSortedDictionary<(long Mailbox, long Number), ImmutableArray<SentId>> Sent,
        ImmutableHashSet<(long Mailbox, long Sequence)> Inserted);

    internal sealed record Box(
        long Id, DeviceAddress Device, string Name, long ReservedThrough, DateTimeOffset LastSeenAt, Prekeys Prekeys);

    internal sealed record Prekeys(
        byte[]? Bundle,
        ImmutableList<OneTimePrekey> Keys,
        ImmutableDictionary<OneTimePrekeyKind, uint> Newest,
        ImmutableDictionary<OneTimePrekeyKind, ulong> Misses,
        DateTimeOffset? UploadedAt)
    {
        public static Prekeys None { get; } = new(
            null,
            [],
            Enum.GetValues<OneTimePrekeyKind>().ToImmutableDictionary(static kind => kind, static _ => 0u),
            Enum.GetValues<OneTimePrekeyKind>().ToImmutableDictionary(static kind => kind, static _ => 0ul),
            null);

        public PrekeyStock Stock => new(Of(OneTimePrekeyKind.X25519), Of(OneTimePrekeyKind.MlKem768));

        private OneTimePrekeyStock Of(OneTimePrekeyKind kind) => new(Keys.Count(key => key.Kind == kind), Newest[kind], Misses[kind]);
    }

    internal sealed record Stored(StoredEnvelope Envelope, DateTimeOffset ExpiresAt);
}
