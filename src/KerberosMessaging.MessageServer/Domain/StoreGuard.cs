using KerberosMessaging.Hosting.Startup;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Watches how much room the whole store has left, so that messages are refused while acknowledgements can still be written: a
/// database on a full disk could delete nothing either.
/// </summary>
internal sealed partial class StoreGuard(
    IMailboxStore store,
    IOptions<MailboxOptions> options,
    IOptions<DataOptions> data,
    TimeProvider time,
    ILogger<StoreGuard> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private volatile bool _isFull;
    private long _used;

    /// <summary>Whether nothing more is to be stored now.</summary>
    public bool IsFull => _isFull;

    /// <summary>How many bytes the store took when it was last looked at.</summary>
    public long UsedBytes => Volatile.Read(ref _used);

    /// <summary>Looks now.</summary>
    public async ValueTask LookAsync()
    {
        var free = new DriveInfo(Path.GetFullPath(data.Value.Directory)).AvailableFreeSpace;
        var used = await store.ReadSizeAsync();
        Volatile.Write(ref _used, used);
        var isFull = free < options.Value.MinimumFreeDiskBytes || used > options.Value.MaxStoreBytes;
        if (isFull != _isFull)
        {
            _isFull = isFull;
            if (isFull)
            {
                Log.Full(logger, used, free);
            }
            else
            {
                Log.HasRoom(logger, used, free);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                await TryLookAsync();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async ValueTask TryLookAsync()
    {
        try
        {
            await LookAsync();
        }
        catch (Exception e)
        {
            // The writes tell what is wrong with the disk; this goes on with what it last knew.
            Log.LookFailed(logger, e);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3401, LogLevel.Error, "The store is full: {Used} bytes are in use, {Free} are free on the disk. Messages are refused.")]
        public static partial void Full(ILogger logger, long used, long free);

        [LoggerMessage(3402, LogLevel.Information, "The store has room again: {Used} bytes are in use, {Free} are free on the disk.")]
        public static partial void HasRoom(ILogger logger, long used, long free);

        [LoggerMessage(3403, LogLevel.Warning, "How much room the store has could not be found out.")]
        public static partial void LookFailed(ILogger logger, Exception exception);
    }
}
