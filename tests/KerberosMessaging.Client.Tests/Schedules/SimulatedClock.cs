using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>
/// A clock on which nobody waits: what waits for a moment, waits while the clock jumps there. Timeouts of operations are longer than that
/// and never come, because nothing takes time.
/// </summary>
internal sealed class SimulatedClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(5);

    public static DateTimeOffset Epoch { get; } = new(2026, 1, 5, 8, 0, 0, TimeSpan.Zero);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime > TimeSpan.Zero && dueTime <= Moment)
        {
            Advance(dueTime);
        }

        return timer;
    }
}
