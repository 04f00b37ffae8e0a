namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Removes what nobody needs any more, in steps so small that no sender waits long behind one.</summary>
internal sealed class Sweeper(CommitQueue queue, MailboxDirectory mailboxes, TimeProvider time) : BackgroundService
{
    private const int RowsPerStep = 500;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(Interval, time);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                mailboxes.Sweep();
                await SweepAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task SweepAsync(CancellationToken stoppingToken)
    {
        SweepWrite sweep;
        Committed<IReadOnlyList<SweptEnvelopes>> swept;
        do
        {
            sweep = new SweepWrite(mailboxes, time.GetUtcNow() - SenderHistory.Window, RowsPerStep);
            swept = await queue.CommitAsync(sweep);
        }
        while (swept.IsDone && sweep.HasMore && !stoppingToken.IsCancellationRequested);
    }
}
