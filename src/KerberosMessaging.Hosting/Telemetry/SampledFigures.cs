namespace KerberosMessaging.Hosting.Telemetry;

/// <summary>
/// Figures that take a look into the database. Whoever asks gets those of the last look; when they are old, another look is started
/// beside. So a scrape never waits for the database, many scrapes cost no more than one, and nobody looks when nobody asks.
/// </summary>
/// <typeparam name="T">The figures.</typeparam>
/// <param name="look">Takes a look.</param>
/// <param name="time">Says when figures are old.</param>
public sealed class SampledFigures<T>(Func<CancellationToken, Task<T>> look, TimeProvider time)
    where T : class
{
    /// <summary>How old figures become before another look.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookTime = TimeSpan.FromSeconds(20);

    private T? _latest;
    private long _lookedAt;
    private int _isLooking;

    /// <summary>What the last look found; null before the first has come back.</summary>
    public T? Read()
    {
        var latest = Volatile.Read(ref _latest);
        if ((latest is null || time.GetElapsedTime(Volatile.Read(ref _lookedAt)) >= Fresh) && Interlocked.Exchange(ref _isLooking, 1) == 0)
        {
            _ = Task.Run(LookAsync);
        }

        return latest;
    }

    private async Task LookAsync()
    {
        try
        {
            using var deadline = new CancellationTokenSource(LookTime);
            Volatile.Write(ref _latest, await look(deadline.Token));
        }
        catch (Exception)
        {
            // The figures are gone rather than wrong. What is wrong with the database is told by who needs it, and by the health check.
            Volatile.Write(ref _latest, null);
        }
        finally
        {
            Volatile.Write(ref _lookedAt, time.GetTimestamp());
            Volatile.Write(ref _isLooking, 0);
        }
    }
}
