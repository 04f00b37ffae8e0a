namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Removes what nobody needs any more, in steps so small that no sender waits long behind one.</summary>
internal sealed class Sweeper(CommitQueue queue, OpenedMailboxes mailboxes, TimeProvider time) : BackgroundService
{
    /// <summary>
    /// For how long a repeated message id is recognised, at least. A sender that gives up trying sooner is never stored
    /// twice; a week covers a laptop closed over a holiday.
    /// </summary>
    public static readonly TimeSpan IdempotencyWindow = TimeSpan.FromDays(7);

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
        Committed<int> swept;
        do
        {
            swept = await queue.CommitAsync(new SweepWrite(time.GetUtcNow() - IdempotencyWindow, RowsPerStep));
        }
        while (swept is { IsDone: true, Result: >= RowsPerStep } && !stoppingToken.IsCancellationRequested);
    }
}
