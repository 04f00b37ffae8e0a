using System.Collections.Concurrent;
using System.Data.Common;
using System.Runtime.InteropServices;
using KerberosMessaging.MessageServer.Persistence.Blobs;
using KerberosMessaging.Protocol;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Domain.Blobs;

/// <summary>
/// Takes blobs in, gives them out and removes them. The row is the truth: it is there before the file, and says that a blob is
/// complete only after its digest was compared and the file is on disk; it goes before the file.
/// </summary>
internal sealed partial class BlobService(
    BlobStore store,
    BlobIndex index,
    IOptions<BlobOptions> options,
    TimeProvider time,
    ILogger<BlobService> logger)
{
    // The row of an upload is written again only when its time is up by this part sooner than it could be.
    private const int ProlongedBy = 24;

    private readonly BlobOptions _options = options.Value;
    private readonly BlobTurns _turns = new();
    private readonly ConcurrentDictionary<BlobId, BlobUpload> _uploads = new();
    private int _isFull;

    private TimeSpan UploadTimeToLive => TimeSpan.FromSeconds(_options.UploadTimeToLiveSeconds);

    /// <summary>Begins an upload, or says where it goes on.</summary>
    public Task<BlobProgress> StartAsync(BlobAnnouncement announced, CancellationToken cancellationToken) => InTurnAsync(
        announced.Blob, BlobProgress.Of(BlobStatus.Busy), () => StartInTurnAsync(announced, cancellationToken));

    /// <summary>Takes the next bytes of an upload; at another offset nothing.</summary>
    public Task<BlobProgress> WriteAsync(
        ClientId uploader, BlobId blob, long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => InTurnAsync(
        blob, BlobProgress.Of(BlobStatus.Busy), () => WriteInTurnAsync(uploader, blob, offset, content, cancellationToken));

    /// <summary>Reads bytes of a complete blob; whoever knows its id may.</summary>
    public async Task<(BlobStatus Status, BlobPiece? Piece)> ReadAsync(
        BlobId blob, long offset, int most, CancellationToken cancellationToken)
    {
        try
        {
            return await index.FindAsync(blob, cancellationToken) is { IsComplete: true } found
                && found.ExpiresAt > time.GetUtcNow()
                && await store.ReadAsync(blob, offset, most, cancellationToken) is { } content
                ? (BlobStatus.Ok, new BlobPiece(found.Announcement.Size, content))
                : (BlobStatus.Unknown, null);
        }
        catch (Exception e) when (IsOfStorage(e))
        {
            Log.StorageFailed(logger, Describe(e));
            return (BlobStatus.Busy, null);
        }
    }

    /// <summary>Removes a blob of the client's own.</summary>
    public Task<BlobStatus> DeleteAsync(ClientId uploader, BlobId blob, CancellationToken cancellationToken) => InTurnAsync(
        blob,
        BlobStatus.Busy,
        async () =>
        {
            if (await FindAsync(blob, cancellationToken) is not { } found || found.Announcement.Uploader != uploader)
            {
                return BlobStatus.Unknown;
            }

            await RemoveAsync(blob);
            return BlobStatus.Ok;
        });

    private async Task<BlobProgress> StartInTurnAsync(BlobAnnouncement announced, CancellationToken cancellationToken)
    {
        if (await FindAsync(announced.Blob, cancellationToken) is { } found)
        {
            return found.Announcement.IsSameAs(announced)
                ? await AnswerAsync(found, cancellationToken)
                : BlobProgress.Of(BlobStatus.Refused);
        }

        if (announced.Size > _options.MaxBytes)
        {
            return BlobProgress.Of(BlobStatus.TooLarge);
        }

        if (!HasRoomFor(announced.Size))
        {
            return BlobProgress.Of(BlobStatus.NoRoom);
        }

        var upload = new BlobUpload(announced, 0, time.GetUtcNow() + UploadTimeToLive);

        // What a crash may have left of a blob that was removed.
        store.Remove(announced.Blob);
        var status = await index.AddAsync(announced, upload.ExpiresAt, _options, cancellationToken);
        if (status != BlobStatus.Ok)
        {
            return BlobProgress.Of(status);
        }

        _uploads[announced.Blob] = upload;
        return upload.Progress;
    }

    private async Task<BlobProgress> WriteInTurnAsync(
        ClientId uploader, BlobId blob, long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (!_uploads.TryGetValue(blob, out var upload) || upload.ExpiresAt <= time.GetUtcNow())
        {
            if (await FindAsync(blob, cancellationToken) is not { } found || found.Announcement.Uploader != uploader)
            {
                return BlobProgress.Of(BlobStatus.Unknown);
            }

            if (found.IsComplete)
            {
                return ProgressOf(found);
            }

            upload = Open(found);
        }

        if (upload.Announcement.Uploader != uploader)
        {
            return BlobProgress.Of(BlobStatus.Unknown);
        }

        if (offset != upload.NextOffset || upload.IsFull)
        {
            return upload.Progress;
        }

        if (content.Length > upload.Announcement.Size - offset)
        {
            return BlobProgress.Of(BlobStatus.Refused);
        }

        if (!HasRoomFor(content.Length))
        {
            return BlobProgress.Of(BlobStatus.NoRoom);
        }

        await store.AppendAsync(blob, offset, content);
        upload.NextOffset += content.Length;
        return upload.IsFull ? await CompleteAsync(upload, cancellationToken) : await ProlongAsync(upload);
    }

    private async Task<BlobProgress> AnswerAsync(BlobEntry found, CancellationToken cancellationToken)
    {
        if (found.IsComplete)
        {
            return ProgressOf(found);
        }

        // Full, when the server or the connection ended before it was compared with its digest.
        var upload = Open(found);
        return upload.IsFull ? await CompleteAsync(upload, cancellationToken) : upload.Progress;
    }

    private BlobUpload Open(BlobEntry found) => _uploads.GetOrAdd(
        found.Announcement.Blob,
        static (blob, opening) => new BlobUpload(opening.Found.Announcement, opening.Store.Reopen(blob), opening.Found.ExpiresAt),
        (Found: found, Store: store));

    private async Task<BlobProgress> CompleteAsync(BlobUpload upload, CancellationToken cancellationToken)
    {
        var (blob, _, size, digest, timeToLive) = upload.Announcement;
        if (!await store.TryCompleteAsync(blob, size, digest, cancellationToken))
        {
            Log.WrongDigest(logger);
            await RemoveAsync(blob);
            return BlobProgress.Of(BlobStatus.Refused);
        }

        var seconds = timeToLive == 0 ? _options.TimeToLiveSeconds : Math.Min(timeToLive, _options.TimeToLiveSeconds);
        var expiresAt = time.GetUtcNow().AddSeconds(seconds);
        await index.CompleteAsync(blob, expiresAt);
        _uploads.TryRemove(blob, out _);
        return new BlobProgress(BlobStatus.Ok, size, true, expiresAt);
    }

    private async Task<BlobProgress> ProlongAsync(BlobUpload upload)
    {
        var expiresAt = time.GetUtcNow() + UploadTimeToLive;
        if (expiresAt - upload.ExpiresAt >= UploadTimeToLive / ProlongedBy)
        {
            await index.ProlongAsync(upload.Announcement.Blob, expiresAt);
            upload.ExpiresAt = expiresAt;
        }

        return upload.Progress;
    }

    // What has expired is gone, whether it was swept or not.
    private async Task<BlobEntry?> FindAsync(BlobId blob, CancellationToken cancellationToken)
    {
        var found = await index.FindAsync(blob, cancellationToken);
        if (found is not null && found.ExpiresAt <= time.GetUtcNow())
        {
            await RemoveAsync(blob);
            return null;
        }

        return found;
    }

    private async Task RemoveAsync(BlobId blob)
    {
        await index.RemoveAsync(blob);
        _uploads.TryRemove(blob, out _);
        store.Remove(blob);
    }

    private bool HasRoomFor(long bytes)
    {
        var hasRoom = store.FreeBytes - bytes >= _options.MinimumFreeDiskBytes;
        if (Interlocked.Exchange(ref _isFull, hasRoom ? 0 : 1) == 0 && !hasRoom)
        {
            Log.DiskFull(logger);
        }

        return hasRoom;
    }

    private static BlobProgress ProgressOf(BlobEntry complete) =>
        new(BlobStatus.Ok, complete.Announcement.Size, true, complete.ExpiresAt);

    private async Task<T> InTurnAsync<T>(BlobId blob, T busy, Func<Task<T>> step)
    {
        using var turn = await _turns.WaitAsync(blob);
        try
        {
            return await step();
        }
        catch (Exception e) when (IsOfStorage(e))
        {
            // What is on disk now decides where it goes on.
            _uploads.TryRemove(blob, out _);
            Log.StorageFailed(logger, Describe(e));
            return busy;
        }
    }

    private static bool IsOfStorage(Exception e) =>
        e is IOException or UnauthorizedAccessException or DbException or DbUpdateException;

    // Without the path, which holds the blob's id: that alone lets somebody read it.
    private static string Describe(Exception e) => e switch
    {
        IOException { HResult: > 0 and var error } => Marshal.GetPInvokeErrorMessage(error),
        DbException or DbUpdateException => e.GetBaseException().Message,
        _ => e.GetType().Name,
    };

    private static partial class Log
    {
        [LoggerMessage(3501, LogLevel.Error, "Blobs could not be stored or read: {Reason}.")]
        public static partial void StorageFailed(ILogger logger, string reason);

        [LoggerMessage(3502, LogLevel.Warning, "The disk has less room than Blobs:MinimumFreeDiskBytes: no more of any blob is taken.")]
        public static partial void DiskFull(ILogger logger);

        [LoggerMessage(3503, LogLevel.Information, "An upload had another digest than it was announced with, and was removed.")]
        public static partial void WrongDigest(ILogger logger);

        [LoggerMessage(3204, LogLevel.Error, "The files of {Count} blobs are missing; the blobs are removed.")]
        public static partial void Lost(ILogger logger, int count);
    }
}
