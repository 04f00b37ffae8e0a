namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Tells how full mailboxes are. What is settled is on disk and what is not is in memory, so each answer is made of both: a mailbox in
/// memory knows its own numbers, those of the others were counted when they were committed.
/// </summary>
internal sealed class QueueReader(IMailboxStore store, CommitQueue queue, MailboxDirectory mailboxes, TimeProvider time) : IDisposable
{
    // One read is a look into each mailbox in which something waits. It must stay a small part of what the disk does.
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);
    private const int IntervalPerDuration = 20;

    private readonly SemaphoreSlim _reading = new(1);
    private Oldest? _oldest;

    /// <summary>Whether what waits is counted yet; soon after a start it is.</summary>
    public bool IsReady => queue.Totals.IsMeasured;

    /// <summary>Lists mailboxes by client name and device.</summary>
    public async ValueTask<IReadOnlyList<QueueState>> ListAsync(QueuePosition? after, int maxCount) =>
        [.. (await store.ReadQueuesAsync(after, maxCount)).Select(Complete)];

    /// <summary>Finds mailboxes by what identifies them.</summary>
    public async ValueTask<IReadOnlyList<QueueState>> FindAsync(QueueFilter filter) =>
        [.. (await store.FindQueuesAsync(filter)).Select(Complete)];

    /// <summary>The mailboxes with the most of something, the first first. Those in which nothing waits are not among them.</summary>
    public async ValueTask<IReadOnlyList<QueueState>> ReadTopAsync(QueueOrder order, int count)
    {
        IEnumerable<long> top = order == QueueOrder.Age
            ? (await ReadOldestAsync()).OrderBy(static entry => entry.Value).ThenBy(static entry => entry.Key).Select(static entry => entry.Key)
            : ReadTotals()
                .OrderByDescending(entry => order == QueueOrder.Depth ? entry.Value.Count : entry.Value.Bytes)
                .ThenBy(static entry => entry.Key)
                .Select(static entry => entry.Key);
        var rows = new List<QueueState>();
        foreach (var mailbox in top.Take(count))
        {
            // One that was closed in the meantime is not there any more, one that was emptied is.
            rows.AddRange((await FindAsync(new QueueFilter(mailbox))).Where(static row => row.Waiting > 0));
        }

        return rows;
    }

    /// <summary>Sorts in the order of <see cref="ReadTopAsync"/>.</summary>
    public static IEnumerable<QueueState> Sort(IEnumerable<QueueState> rows, QueueOrder order) => order switch
    {
        QueueOrder.Depth => rows.OrderByDescending(static row => row.Waiting),
        QueueOrder.Bytes => rows.OrderByDescending(static row => row.Bytes),
        _ => rows.OrderBy(static row => row.OldestAcceptedAt ?? DateTimeOffset.MaxValue),
    };

    /// <summary>What waits in all; null before it is counted.</summary>
    public (long Count, long Bytes)? ReadSum()
    {
        if (queue.Totals.All is not { } sum)
        {
            return null;
        }

        // Beside what is on disk, what is in memory alone; the two are not read in one moment.
        var totals = queue.Totals.ToDictionary();
        foreach (var mailbox in mailboxes.All)
        {
            var (figures, onDisk) = (mailbox.Measure(), totals.GetValueOrDefault(mailbox.Id));
            sum = (sum.Count + figures.Count - onDisk.Count, sum.Bytes + figures.Bytes - onDisk.Bytes);
        }

        return (Math.Max(0, sum.Count), Math.Max(0, sum.Bytes));
    }

    /// <summary>When the message that waits longest was accepted; null when none waits.</summary>
    public async ValueTask<DateTimeOffset?> ReadOldestOfAllAsync()
    {
        DateTimeOffset? oldest = null;
        foreach (var at in (await ReadOldestAsync()).Values)
        {
            oldest = oldest is null || at < oldest ? at : oldest;
        }

        return oldest;
    }

    /// <summary>The numbers of the mailboxes in which something may wait.</summary>
    public IReadOnlyCollection<long> NotEmpty() => ReadTotals().Keys;

    public void Dispose() => _reading.Dispose();

    private Dictionary<long, MailboxTotal> ReadTotals()
    {
        var totals = queue.Totals.ToDictionary();
        foreach (var mailbox in mailboxes.All)
        {
            var figures = mailbox.Measure();
            totals.Remove(mailbox.Id);
            if (figures.Count > 0)
            {
                totals[mailbox.Id] = new MailboxTotal(figures.Count, figures.Bytes);
            }
        }

        return totals;
    }

    private async ValueTask<Dictionary<long, DateTimeOffset>> ReadOldestAsync()
    {
        var oldest = new Dictionary<long, DateTimeOffset>(await ReadOldestStoredAsync());
        foreach (var mailbox in mailboxes.All)
        {
            var figures = mailbox.Measure();
            if (figures.Count == 0)
            {
                oldest.Remove(mailbox.Id);
            }
            else if (figures.OldestUnsettledAt is { } at && (!oldest.TryGetValue(mailbox.Id, out var stored) || at < stored))
            {
                oldest[mailbox.Id] = at;
            }
        }

        return oldest;
    }

    private async ValueTask<Dictionary<long, DateTimeOffset>> ReadOldestStoredAsync()
    {
        if (Volatile.Read(ref _oldest) is { } known && time.GetElapsedTime(known.ReadAt) < known.GoodFor)
        {
            return known.Stored;
        }

        await _reading.WaitAsync();
        try
        {
            if (_oldest is { } other && time.GetElapsedTime(other.ReadAt) < other.GoodFor)
            {
                return other.Stored;
            }

            var started = time.GetTimestamp();
            var stored = (await store.ReadOldestAsync()).ToDictionary(static row => row.Mailbox, static row => row.AcceptedAt);
            var goodFor = time.GetElapsedTime(started) * IntervalPerDuration;
            Volatile.Write(ref _oldest, new Oldest(stored, started, goodFor > ShortestInterval ? goodFor : ShortestInterval));
            return stored;
        }
        finally
        {
            _reading.Release();
        }
    }

    private QueueState Complete(QueueState row)
    {
        if (mailboxes.Find(row.Mailbox) is not { } mailbox)
        {
            return row;
        }

        var figures = mailbox.Measure();
        row = row with { Waiting = figures.Count, Bytes = figures.Bytes };
        if (figures.Count == 0)
        {
            return row with { OldestAcceptedAt = null, OldestSequence = null, NewestSequence = null };
        }

        return figures.NewestUnsettled == 0
            ? row
            : row with
            {
                OldestAcceptedAt = row.OldestAcceptedAt < figures.OldestUnsettledAt ? row.OldestAcceptedAt : figures.OldestUnsettledAt,
                OldestSequence = Math.Min(row.OldestSequence ?? long.MaxValue, figures.OldestUnsettled),
                NewestSequence = Math.Max(row.NewestSequence ?? 0, figures.NewestUnsettled),
            };
    }

    private sealed record Oldest(Dictionary<long, DateTimeOffset> Stored, long ReadAt, TimeSpan GoodFor);
}

/// <summary>By what the fullest mailboxes are found.</summary>
internal enum QueueOrder
{
    /// <summary>By how many messages wait.</summary>
    Depth,

    /// <summary>By how many bytes wait.</summary>
    Bytes,

    /// <summary>By how long the oldest message has waited.</summary>
    Age,
}
