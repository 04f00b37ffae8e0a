namespace KerberosMessaging.MessageServer.Domain;

/// <summary>How many messages a second were accepted of late.</summary>
internal sealed class MessageRate(Relay relay, TimeProvider time) : BackgroundService
{
    private const int Seconds = 10;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // The oldest first; at least one, so that there is always something to compare with.
    private readonly Queue<(long At, long Accepted)> _samples = new([(time.GetTimestamp(), relay.Accepted)]);

    /// <summary>When the server started.</summary>
    public DateTimeOffset StartedAt { get; } = time.GetUtcNow();

    /// <summary>Messages a second over the last ten seconds, or since the start.</summary>
    public double PerSecond
    {
        get
        {
            lock (_samples)
            {
                var (at, accepted) = _samples.Peek();
                var seconds = time.GetElapsedTime(at).TotalSeconds;
                return Math.Round((relay.Accepted - accepted) / Math.Max(seconds, 1), 2);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(Interval, time);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                lock (_samples)
                {
                    _samples.Enqueue((time.GetTimestamp(), relay.Accepted));
                    if (_samples.Count > Seconds)
                    {
                        _samples.Dequeue();
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }
}
