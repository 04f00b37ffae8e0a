namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Measures after a start what waits on disk, in steps so small that no sender waits long behind one.</summary>
internal sealed class MailboxMeasurer(CommitQueue queue, TimeProvider time) : BackgroundService
{
    private const int EnvelopesPerStep = 2000;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            for (var after = 0L; !stoppingToken.IsCancellationRequested;)
            {
                var step = new MeasureWrite(after, EnvelopesPerStep);
                if (await queue.CommitAsync(step) is { IsDone: true, Result: var measured })
                {
                    if (!step.HasMore)
                    {
                        return;
                    }

                    after = measured[^1].Mailbox;
                }
                else
                {
                    await Task.Delay(RetryAfter, time, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }
}
