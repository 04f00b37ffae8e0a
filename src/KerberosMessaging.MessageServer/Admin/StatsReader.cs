using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Domain.Blobs;
using KerberosMessaging.MessageServer.Persistence.Blobs;
using KerberosMessaging.MessageServer.Realm;

namespace KerberosMessaging.MessageServer.Admin;

/// <summary>Gathers what is going on: counters as they are, and now and then what must be read from the disk.</summary>
internal sealed class StatsReader(
    ConnectionRegistry connections,
    Relay relay,
    MessageRate rate,
    CommitQueue queue,
    QueueReader queues,
    IMailboxStore store,
    StoreGuard guard,
    BlobIndex blobs,
    RealmLink realm,
    TimeProvider time) : IDisposable
{
    private static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _reading = new(1);
    private Stored? _stored;

    public async Task<StatsView> ReadAsync(CancellationToken cancellationToken)
    {
        var stored = await ReadStoredAsync(cancellationToken);
        var sum = queues.ReadSum();
        return new StatsView(
            connections.Count,
            connections.All.Count(static connection => connection.Principal is not null),
            rate.PerSecond,
            relay.Accepted,
            queue.Totals.Delivered,
            stored.Mailboxes,
            sum?.Count,
            sum?.Bytes,
            await queues.ReadOldestOfAllAsync(),
            stored.Blobs.Complete,
            stored.Blobs.CompleteBytes,
            guard.UsedBytes,
            realm.IsFollowing,
            rate.StartedAt,
            StatsView.OwnVersion);
    }

    public void Dispose() => _reading.Dispose();

    private async Task<Stored> ReadStoredAsync(CancellationToken cancellationToken)
    {
        if (Fresh() is { } known)
        {
            return known;
        }

        await _reading.WaitAsync(cancellationToken);
        try
        {
            if (Fresh() is not { } stored)
            {
                stored = new Stored(await store.CountMailboxesAsync(), await blobs.ReadStatsAsync(cancellationToken), time.GetTimestamp());
                Volatile.Write(ref _stored, stored);
            }

            return stored;
        }
        finally
        {
            _reading.Release();
        }
    }

    private Stored? Fresh() => Volatile.Read(ref _stored) is { } stored && time.GetElapsedTime(stored.ReadAt) < GoodFor ? stored : null;

    private sealed record Stored(long Mailboxes, BlobStats Blobs, long ReadAt);
}
