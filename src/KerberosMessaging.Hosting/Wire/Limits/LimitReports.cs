using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Wire.Limits;

/// <summary>Counts refusals, and tells the log of each kind at most once a minute: an attack must not fill the disk.</summary>
internal sealed partial class LimitReports(ServerMetrics metrics, TimeProvider time, ILogger<LimitReports> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    // When each was told last, as a timestamp; 0 for never.
    private readonly long[] _told = new long[Enum.GetValues<Limit>().Length];

    public void Refused(Limit limit)
    {
        metrics.Limited(limit);
        ref var told = ref _told[(int)limit];
        var (last, now) = (Volatile.Read(ref told), time.GetTimestamp());
        if ((last == 0 || time.GetElapsedTime(last, now) >= Pause) && Interlocked.CompareExchange(ref told, now, last) == last)
        {
            Log.Refused(logger, limit);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1201, LogLevel.Warning, "A limit was reached: {Limit}. Those over it are told to try again later.")]
        public static partial void Refused(ILogger logger, Limit limit);
    }
}
