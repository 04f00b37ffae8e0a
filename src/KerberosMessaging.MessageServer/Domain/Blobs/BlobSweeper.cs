using System.Data.Common;
using KerberosMessaging.MessageServer.Persistence.Blobs;

namespace KerberosMessaging.MessageServer.Domain.Blobs;

/// <summary>Removes blobs that have expired and what a crash left behind, a few folders at a time.</summary>
internal sealed partial class BlobSweeper(BlobService blobs, TimeProvider time, ILogger<BlobSweeper> logger) : BackgroundService
{
    // All of them in 16 minutes.
    private const int FoldersPerStep = 16;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(Interval, time);
            for (var folder = 0; await timer.WaitForNextTickAsync(stoppingToken); folder = (folder + FoldersPerStep) % BlobStore.Folders)
            {
                await SweepAsync(folder, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task SweepAsync(int folder, CancellationToken stoppingToken)
    {
        try
        {
            await blobs.SweepExpiredAsync(stoppingToken);
            for (var i = 0; i < FoldersPerStep; i++)
            {
                await blobs.SweepFolderAsync((byte)(folder + i), stoppingToken);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DbException)
        {
            // What was not swept now is swept the next time round.
            Log.Failed(logger, e.GetType().Name);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3211, LogLevel.Error, "Blobs could not be swept now: {Reason}.")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
