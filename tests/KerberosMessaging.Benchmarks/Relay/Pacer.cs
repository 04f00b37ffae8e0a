using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KerberosMessaging.Benchmarks.Relay;

/// <summary>
/// Makes messages due at an even rate, sender after sender, whatever the server does (open loop). It sleeps to the microsecond
/// (clock_nanosleep(2)), which the framework cannot, and never spins: it shares its CPU with the senders.
/// </summary>
internal sealed class Pacer : IDisposable
{
    private const int ClockMonotonic = 1;
    private const int AbsoluteTime = 1;

    private readonly IReadOnlyList<Sender> _senders;
    private readonly double _interval;
    private readonly Thread _thread;
    private volatile bool _isStopped;

    /// <summary>Starts.</summary>
    /// <param name="senders">Who sends.</param>
    /// <param name="rate">Messages a second in all.</param>
    public Pacer(IReadOnlyList<Sender> senders, int rate)
    {
        _senders = senders;
        _interval = (double)Stopwatch.Frequency / rate;
        _thread = new Thread(Run);
        _thread.Start();
    }

    /// <summary>Stops; nothing is made due any more.</summary>
    public void Dispose()
    {
        _isStopped = true;
        _thread.Join();
    }

    private void Run()
    {
        var started = Stopwatch.GetTimestamp();
        for (var i = 0L; !_isStopped; i++)
        {
            var due = started + (long)(i * _interval);
            if (due > Stopwatch.GetTimestamp())
            {
                SleepUntil(due);
            }

            _senders[(int)(i % _senders.Count)].SendDue(due);
        }
    }

    // The stopwatch counts nanoseconds of the same clock. Woken too early by a signal, it is early by nothing that matters.
    private static void SleepUntil(long timestamp)
    {
        var (seconds, nanoseconds) = Math.DivRem(timestamp, Stopwatch.Frequency);
        var time = new TimeSpec { Seconds = (nint)seconds, Nanoseconds = (nint)nanoseconds };
        _ = Sleep(ClockMonotonic, AbsoluteTime, time, 0);
    }

    [DllImport("libc", EntryPoint = "clock_nanosleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sleep(int clock, int flags, in TimeSpec time, nint remaining);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
