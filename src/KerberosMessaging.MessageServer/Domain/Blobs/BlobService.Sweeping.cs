using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain.Blobs;

internal sealed partial class BlobService
{
    private const int ExpiredPerStep = 100;

    /// <summary>Removes the blobs and uploads whose time is up, one after the other.</summary>
    public async Task SweepExpiredAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<BlobId> expired;
        var failed = false;
        do
        {
            expired = await index.FindExpiredAsync(ExpiredPerStep, cancellationToken);
            foreach (var blob in expired)
            {
                cancellationToken.ThrowIfCancellationRequested();
                failed |= !await SweepAsync(blob, async () => await FindAsync(blob, cancellationToken));
            }
        }
        while (expired.Count == ExpiredPerStep && !failed);
    }

    /// <summary>Removes a blob for an admin.</summary>
    /// <returns>Null when there is none; false when it could not be removed now.</returns>
    public async Task<bool?> RemoveAsync(BlobHandle handle, CancellationToken cancellationToken)
    {
        if (await index.FindAsync(handle, cancellationToken) is not { Announcement.Blob: var blob })
        {
            return null;
        }

        return await InTurnAsync<bool?>(blob, false, async () =>
        {
            // Its id may have been given to another in the meantime.
            if ((await index.FindAsync(blob, cancellationToken))?.Handle != handle)
            {
                return null;
            }

            await RemoveAsync(blob);
            return true;
        });
    }

    /// <summary>Removes the blobs that were announced before a time, the oldest first.</summary>
    /// <param name="createdBefore">Those of this time or later stay.</param>
    /// <param name="removed">Is told of each that went.</param>
    /// <param name="cancellationToken">Ends it between two blobs.</param>
    /// <exception cref="IOException">The disk does not let a blob be removed; what is left can be removed later.</exception>
    public async Task RemoveOldAsync(DateTimeOffset createdBefore, Action removed, CancellationToken cancellationToken)
    {
        IReadOnlyList<BlobEntry> old;
        var after = (-1L, default(BlobHandle));
        do
        {
            old = await index.ListAsync(null, createdBefore, after, ExpiredPerStep, cancellationToken);
            foreach (var blob in old)
            {
                cancellationToken.ThrowIfCancellationRequested();
                switch (await RemoveAsync(blob.Handle, cancellationToken))
                {
                    case false:
                        throw new IOException("A blob could not be removed.");
                    case true:
                        removed();
                        break;
                    default:
                        break;
                }

                after = (blob.CreatedAt.ToUnixTimeMilliseconds(), blob.Handle);
            }
        }
        while (old.Count == ExpiredPerStep);
    }

    /// <summary>
    /// Makes rows and files of one folder agree: removes files without a row, and complete rows whose file is gone. An upload
    /// without a file has only not begun.
    /// </summary>
    /// <param name="first">The first byte of the ids in the folder.</param>
    /// <param name="cancellationToken">Ends it between two blobs.</param>
    public async Task SweepFolderAsync(byte first, CancellationToken cancellationToken)
    {
        var files = store.List(first).ToHashSet();
        var rows = await index.FindByFirstByteAsync(first, cancellationToken);
        var lost = 0;

        // Looked at again in turn: since then an upload may have begun or been completed.
        foreach (var blob in files.Where(blob => !rows.ContainsKey(blob)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await SweepAsync(blob, async () =>
            {
                if (await index.FindAsync(blob, cancellationToken) is null)
                {
                    store.Remove(blob);
                }
            });
        }

        foreach (var blob in rows.Where(row => row.Value && !files.Contains(row.Key)).Select(static row => row.Key))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await SweepAsync(blob, async () =>
            {
                if (!store.IsComplete(blob) && await index.FindAsync(blob, cancellationToken) is { IsComplete: true })
                {
                    await RemoveAsync(blob);
                    lost++;
                }
            });
        }

        if (lost > 0)
        {
            Log.Lost(logger, lost);
        }
    }

    private Task<bool> SweepAsync(BlobId blob, Func<Task> step) => InTurnAsync(blob, false, async () =>
    {
        await step();
        return true;
    });
}
