using System.Threading.Channels;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Group commit: all writes of the process pass through here in one order, and one transaction carries all that waits.
/// Under load a flush to disk is thus shared by many, and an answer still means that it is on disk.
/// </summary>
internal sealed partial class CommitQueue(IMailboxStore store, TimeProvider time, ILogger<CommitQueue> logger) : BackgroundService
{
    // Further ones wait in their connections, whose sockets then are not read.
    private const int Capacity = 8192;

    // Enough to make the flush cheap for each, few enough that the first does not wait long for the last.
    private const int WritesPerBatch = 1024;

    // Beyond this a burst of large messages is refused, not held in memory.
    private const long MaxWaitingBytes = 64 * 1024 * 1024;

    private readonly Channel<StoreWrite> _queue = Channel.CreateBounded<StoreWrite>(
        new BoundedChannelOptions(Capacity) { SingleReader = true });

    private long _waitingBytes;
    private long _batches;

    /// <summary>How many transactions were committed.</summary>
    public long Batches => Volatile.Read(ref _batches);

    /// <summary>
    /// Queues a write and waits for its commit. It takes its place in the order before this method first waits, and it is
    /// carried out whether or not anybody still waits for it.
    /// </summary>
    /// <typeparam name="T">What the store answers.</typeparam>
    /// <param name="write">The write.</param>
    public async Task<Committed<T>> CommitAsync<T>(StoreWrite<T> write)
    {
        try
        {
            if (Interlocked.Add(ref _waitingBytes, write.Size) > MaxWaitingBytes)
            {
                return default;
            }

            await _queue.Writer.WriteAsync(write);
            return await write.Completion;
        }
        catch (ChannelClosedException)
        {
            // The server stops.
            return default;
        }
        finally
        {
            Interlocked.Add(ref _waitingBytes, -write.Size);
        }
    }

    /// <summary>Takes no more writes, and returns when those that wait are on disk.</summary>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        return base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Ends with the queue, not with the token: what was taken in is written.
        var batch = new List<StoreWrite>(WritesPerBatch);
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (batch.Count < WritesPerBatch && _queue.Reader.TryRead(out var write))
            {
                batch.Add(write);
            }

            var isCommitted = await TryWriteAsync(batch);
            batch.ForEach(write => write.Complete(isCommitted));
            batch.Clear();
        }
    }

    private async Task<bool> TryWriteAsync(List<StoreWrite> batch)
    {
        try
        {
            await store.WriteAsync(batch, time.GetUtcNow());
            Interlocked.Increment(ref _batches);
            return true;
        }
        catch (Exception e)
        {
            // Disk full, disk broken, locked by another program: its members are told to come again, and the next batch
            // finds out whether the cause went away.
            Log.BatchFailed(logger, e, batch.Count);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3001, LogLevel.Error, "A batch of {Count} writes could not be committed; their senders were told to retry.")]
        public static partial void BatchFailed(ILogger logger, Exception exception, int count);
    }
}
