namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Measures after a start what waits on disk, in steps so small that no sender waits long behind one. Each step is tried beside the
/// writes first: what cannot be read must not fail the messages that are written together with it. While a mailbox is damaged there are
/// no totals.
/// </summary>
internal sealed partial class MailboxMeasurer(IMailboxStore store, CommitQueue queue, TimeProvider time, ILogger<MailboxMeasurer> logger)
    : BackgroundService
{
    private const int EnvelopesPerStep = 2000;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryDamagedAfter = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            for (var after = 0L; ;)
            {
                stoppingToken.ThrowIfCancellationRequested();
                if (!await CanReadAsync(after))
                {
                    await Task.Delay(RetryDamagedAfter, time, stoppingToken);
                    continue;
                }

                var step = new MeasureWrite(after, EnvelopesPerStep);
                if (await queue.CommitAsync(step) is not { IsDone: true, Result: var measured })
                {
                    await Task.Delay(RetryAfter, time, stoppingToken);
                    continue;
                }

                if (!step.HasMore)
                {
                    return;
                }

                after = measured[^1].Mailbox;
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task<bool> CanReadAsync(long after)
    {
        try
        {
            await store.MeasureAsync(after, EnvelopesPerStep);
            return true;
        }
        catch (Exception e)
        {
            Log.NotMeasured(logger, e.Message);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3421, LogLevel.Warning, "What waits in mailboxes cannot be counted: {Reason}. Messages are not affected; it is tried again in a minute.")]
        public static partial void NotMeasured(ILogger logger, string reason);
    }
}
