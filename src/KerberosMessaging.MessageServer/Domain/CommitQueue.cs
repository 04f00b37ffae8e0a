using KerberosMessaging.Hosting.Telemetry;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Group commit: all writes of the process pass through here in one order, and one transaction carries all that waits.
/// Under load a flush to disk is thus shared by many, and an answer still means that it is on disk.
/// </summary>
internal sealed partial class CommitQueue(
    IMailboxStore store, TimeProvider time, ILogger<CommitQueue> logger, RelayMetrics? metrics = null, CommitMetrics? commits = null) : IHostedService
{
    // Enough to make the flush cheap for each, few enough that the first does not wait long for the last.
    private const int WritesPerBatch = 8192;
    private const long BytesPerBatch = 16 * 1024 * 1024;

    // What connections may have in flight bounds what waits; this bounds it where there are very many of them.
    private const int MostWaiting = 100_000;

    // A store that fails is not asked again at once.
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

    // A Monitor's, which can be waited for without a task or an event a wake.
    private readonly object _gate = new();
    private readonly CommitBatch _batch = new();
    private readonly FailureReports _failures = new(time);
    private List<StoreWrite> _waiting = [];
    private List<StoreWrite> _taken = [];
    private bool _isIdle;
    private bool _isStopping;
    private Thread? _writer;
    private long _batches;

    /// <summary>What waits on disk, as of the last commit.</summary>
    public MailboxTotals Totals { get; } = new();

    /// <summary>How many transactions were committed.</summary>
    public long Batches => Volatile.Read(ref _batches);

    /// <summary>
    /// Queues a write. It has its place in the order when this returns; it is told what became of it later, or at once when the
    /// server stops.
    /// </summary>
    public void Enqueue(StoreWrite write)
    {
        lock (_gate)
        {
            if (!_isStopping)
            {
                _waiting.Add(write);
                if (_isIdle)
                {
                    _isIdle = false;
                    Monitor.Pulse(_gate);
                }

                return;
            }
        }

        Task.Run(() => write.Complete(isCommitted: false));
    }

    /// <summary>
    /// Queues a write and waits for its commit. It takes its place in the order before this method first waits, and it is
    /// carried out whether or not anybody still waits for it.
    /// </summary>
    /// <typeparam name="T">What the store answers.</typeparam>
    /// <param name="write">The write.</param>
    public Task<Committed<T>> CommitAsync<T>(StoreWrite<T> write)
    {
        Enqueue(write);
        return write.Completion;
    }

    /// <summary>Whether so much waits that nothing should be added that can wait elsewhere.</summary>
    public bool IsFull => Volatile.Read(ref _waiting).Count > MostWaiting;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // A thread of its own: it waits for the disk, and threads of the pool must not.
        _writer = new Thread(Run) { IsBackground = true, Name = "commit queue" };
        _writer.Start();
        return Task.CompletedTask;
    }

    /// <summary>Takes no more writes, and returns when those that wait are on disk.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.Pulse(_gate);
        }

        if (_writer is { } writer)
        {
            await Task.Run(writer.Join, CancellationToken.None).WaitAsync(cancellationToken);
        }
    }

    private void Run()
    {
        while (Take())
        {
            for (var next = 0; next < _taken.Count;)
            {
                var bytes = 0L;
                for (var count = 0; next < _taken.Count && count < WritesPerBatch && bytes < BytesPerBatch; next++, count++)
                {
                    _batch.Add(_taken[next]);
                    bytes += _taken[next].Size;
                }

                _batch.Complete(TryWrite());
            }

            _taken.Clear();
        }
    }

    // False when the server stops and nothing waits.
    private bool Take()
    {
        lock (_gate)
        {
            while (_waiting.Count == 0)
            {
                if (_isStopping)
                {
                    return false;
                }

                _isIdle = true;
                Monitor.Wait(_gate);
                _isIdle = false;
            }

            (_waiting, _taken) = (_taken, _waiting);
            return true;
        }
    }

    private bool TryWrite()
    {
        if (_batch.Writes.Count == 0)
        {
            return true;
        }

        using var commit = commits?.Begin(_batch.Writes.Count);
        try
        {
            // SQLite has no asynchronous calls; a store that has them is waited for here, where nothing else runs.
            store.WriteAsync(_batch.Writes, time.GetUtcNow()).AsTask().GetAwaiter().GetResult();
            Totals.Apply(_batch.Writes);
            commit?.Succeeded();
            metrics?.Committed(_batch.Writes);
            Interlocked.Increment(ref _batches);
            return true;
        }
        catch (Exception e)
        {
            // Disk full, disk broken, locked by another program: its members are told to come again, and the next batch
            // finds out whether the cause went away.
            if (_failures.Add(out var untold))
            {
                Log.BatchFailed(logger, e, _batch.Writes.Count, untold);
            }

            Thread.Sleep(PauseAfterFailure);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3001, LogLevel.Error, "A batch of {Count} writes could not be committed; their senders were told to retry. So were those of {Untold} batches before.")]
        public static partial void BatchFailed(ILogger logger, Exception exception, int count, int untold);
    }
}
