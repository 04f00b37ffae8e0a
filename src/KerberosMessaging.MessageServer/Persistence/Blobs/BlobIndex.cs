using KerberosMessaging.MessageServer.Domain.Blobs;
using KerberosMessaging.Protocol;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Persistence.Blobs;

/// <summary>
/// The rows of blobs. Blobs come seldom, so this is a writer of its own beside that of the mailboxes; each change is one short
/// transaction and on disk when it returns.
/// </summary>
internal sealed class BlobIndex(IDbContextFactory<MessageDbContext> contexts, TimeProvider time)
{
    /// <summary>A blob's entry, even if it has expired; null when there is none.</summary>
    public async Task<BlobEntry?> FindAsync(BlobId blob, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        return await context.Blobs.AsNoTracking().SingleOrDefaultAsync(row => row.Id == blob.Value, cancellationToken) is { } row
            ? EntryOf(row)
            : null;
    }

    /// <summary>Adds a blob that is about to be uploaded, if its uploader and the store have room for it.</summary>
    public async Task<BlobStatus> AddAsync(
        BlobAnnouncement announced, DateTimeOffset expiresAt, BlobOptions limits, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);

        // Outside the transaction: it looks at every row, and being late by one blob does no harm here.
        if (await context.Blobs.SumAsync(static row => row.Size, cancellationToken) > limits.MaxStoreBytes - announced.Size)
        {
            return BlobStatus.NoRoom;
        }

        // Takes the write lock at once, so that of two announcements the second counts the first.
        await using var transaction = await context.Database.BeginTransactionAsync(cancellationToken);
        var own = context.Blobs.Where(row => row.ClientId == announced.Uploader.Value);
        var used = await own
            .GroupBy(static row => row.ClientId)
            .Select(static rows => new
            {
                Bytes = rows.Sum(row => row.Size),
                Blobs = rows.Count(),
                Uploads = rows.Count(row => !row.IsComplete),
            })
            .SingleOrDefaultAsync(cancellationToken);
        if (used is not null
            && (used.Bytes > limits.MaxBytesPerClient - announced.Size
                || used.Blobs >= limits.MaxBlobsPerClient
                || used.Uploads >= limits.MaxUploadsAtOnce))
        {
            return BlobStatus.QuotaExceeded;
        }

        context.Blobs.Add(new BlobRow
        {
            Id = announced.Blob.Value,
            Handle = Guid.NewGuid(),
            ClientId = announced.Uploader.Value,
            Size = announced.Size,
            Digest = announced.Digest,
            TimeToLiveSeconds = announced.TimeToLiveSeconds,
            CreatedAt = time.GetUtcNow().ToUnixTimeMilliseconds(),
            ExpiresAt = expiresAt.ToUnixTimeMilliseconds(),
        });
        await context.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return BlobStatus.Ok;
    }

    /// <summary>Notes that a blob is on disk as a whole.</summary>
    public Task CompleteAsync(BlobId blob, DateTimeOffset expiresAt) => UpdateAsync(blob, isComplete: true, expiresAt);

    /// <summary>Notes that an upload makes progress.</summary>
    public Task ProlongAsync(BlobId blob, DateTimeOffset expiresAt) => UpdateAsync(blob, isComplete: false, expiresAt);

    /// <summary>Removes a blob's row, if there is one.</summary>
    public async Task RemoveAsync(BlobId blob)
    {
        await using var context = await contexts.CreateDbContextAsync();
        await context.Blobs.Where(row => row.Id == blob.Value).ExecuteDeleteAsync();
    }

    /// <summary>Some of the blobs that have expired, the oldest first.</summary>
    public async Task<IReadOnlyList<BlobId>> FindExpiredAsync(int most, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        return await context.Blobs
            .Where(row => row.ExpiresAt <= now)
            .OrderBy(static row => row.ExpiresAt)
            .Take(most)
            .Select(static row => new BlobId(row.Id))
            .ToListAsync(cancellationToken);
    }

    /// <summary>Finds a blob by what admins call it; null when there is none.</summary>
    public async Task<BlobEntry?> FindAsync(BlobHandle handle, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        return await context.Blobs.AsNoTracking().SingleOrDefaultAsync(row => row.Handle == handle.Value, cancellationToken) is { } row
            ? EntryOf(row)
            : null;
    }

    /// <summary>Lists blobs by the time of their announcement, then by handle.</summary>
    /// <param name="uploader">Of this client alone; null for all.</param>
    /// <param name="createdBefore">Announced before this time; null for all.</param>
    /// <param name="after">The time and handle of the last one before, which is not listed again.</param>
    /// <param name="maxCount">Most blobs to return.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IReadOnlyList<BlobEntry>> ListAsync(
        ClientId? uploader,
        DateTimeOffset? createdBefore,
        (long CreatedAtMs, BlobHandle Handle) after,
        int maxCount,
        CancellationToken cancellationToken)
    {
        var before = createdBefore?.ToUnixTimeMilliseconds() ?? long.MaxValue;
        var handle = after.Handle.Value.ToByteArray(bigEndian: true);
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = context.Blobs
            .FromSql($"""SELECT * FROM "Blobs" WHERE ("CreatedAt", "Handle") > ({after.CreatedAtMs}, {handle}) AND "CreatedAt" < {before}""")
            .AsNoTracking();
        if (uploader is { } client)
        {
            rows = rows.Where(row => row.ClientId == client.Value);
        }

        return (await rows.OrderBy(static row => row.CreatedAt).ThenBy(static row => row.Handle).Take(maxCount).ToListAsync(cancellationToken))
            .ConvertAll(EntryOf);
    }

    /// <summary>The blobs whose id starts with a byte, each with whether it is complete.</summary>
    public async Task<IReadOnlyDictionary<BlobId, bool>> FindByFirstByteAsync(byte first, CancellationToken cancellationToken)
    {
        var (lowest, highest) = (IdOf(first, 0x00), IdOf(first, 0xFF));
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        return await context.Blobs
            .FromSql($"""SELECT * FROM "Blobs" WHERE "Id" BETWEEN {lowest} AND {highest}""")
            .AsNoTracking()
            .ToDictionaryAsync(static row => new BlobId(row.Id), static row => row.IsComplete, cancellationToken);
    }

    /// <summary>What there is in all.</summary>
    public async Task<BlobStats> ReadStatsAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var groups = await context.Blobs
            .GroupBy(static row => row.IsComplete)
            .Select(static rows => new { IsComplete = rows.Key, Count = rows.LongCount(), Bytes = rows.Sum(row => row.Size) })
            .ToListAsync(cancellationToken);
        var complete = groups.SingleOrDefault(static group => group.IsComplete);
        var unfinished = groups.SingleOrDefault(static group => !group.IsComplete);
        return new BlobStats(complete?.Count ?? 0, complete?.Bytes ?? 0, unfinished?.Count ?? 0, unfinished?.Bytes ?? 0);
    }

    private async Task UpdateAsync(BlobId blob, bool isComplete, DateTimeOffset expiresAt)
    {
        var expires = expiresAt.ToUnixTimeMilliseconds();
        await using var context = await contexts.CreateDbContextAsync();
        await context.Blobs.Where(row => row.Id == blob.Value).ExecuteUpdateAsync(
            row => row.SetProperty(static blob => blob.IsComplete, isComplete).SetProperty(static blob => blob.ExpiresAt, expires));
    }

    private static byte[] IdOf(byte first, byte others)
    {
        var id = new byte[16];
        id.AsSpan().Fill(others);
        id[0] = first;
        return id;
    }

    private static BlobEntry EntryOf(BlobRow row) => new(
        new BlobAnnouncement(new BlobId(row.Id), new ClientId(row.ClientId), row.Size, row.Digest, row.TimeToLiveSeconds),
        row.IsComplete,
        DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt),
        DateTimeOffset.FromUnixTimeMilliseconds(row.ExpiresAt),
        new BlobHandle(row.Handle));
}
