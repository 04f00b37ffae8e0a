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
