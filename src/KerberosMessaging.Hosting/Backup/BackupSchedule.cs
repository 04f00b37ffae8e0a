using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Startup;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>Makes a backup whenever the newest in the folder is old enough, also when that was while the server was away.</summary>
internal sealed partial class BackupSchedule(BackupService backups, TimeProvider time, ILogger<BackupSchedule> logger) : BackgroundService
{
    // A clock that leaps, and a failure whose cause goes away, are noticed after so long.
    private static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (backups.Interval is not { } interval)
        {
            return;
        }

        try
        {
            while (true)
            {
                await MakeIfDueAsync(interval, stoppingToken);
                await Task.Delay(LookInterval, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    private async Task MakeIfDueAsync(TimeSpan interval, CancellationToken stoppingToken)
    {
        try
        {
            // One from the future was made by a clock that was wrong.
            var now = time.GetUtcNow();
            if (backups.LastSuccess is not { } last || last > now || now - last >= interval)
            {
                await backups.MakeAsync(Origin.System, stoppingToken);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The next look tries again.
            Log.Failed(logger, ServerProgram.Explain(e) ?? e.GetType().Name);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(9202, LogLevel.Error, "A backup could not be made: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
