using System.ComponentModel;
using System.Runtime.InteropServices;

namespace KerberosMessaging.Benchmarks.Servers;

/// <summary>
/// The CPU time of another process: user and kernel time of all its threads, those that have ended included, in
/// nanoseconds (clock_getcpuclockid(3)). <c>/proc/PID/stat</c> counts in steps of 10 ms, and <c>schedstat</c> forgets
/// threads that have ended.
/// </summary>
internal sealed class CpuClock
{
    private readonly int _clock;

    public CpuClock(int process)
    {
        if (GetCpuClockId(process, out _clock) is not 0 and var error)
        {
            throw new Win32Exception(error);
        }
    }

    public TimeSpan Read()
    {
        if (GetTime(_clock, out var time) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromTicks(time.Nanoseconds / TimeSpan.NanosecondsPerTick);
    }

    [DllImport("libc", EntryPoint = "clock_getcpuclockid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetCpuClockId(int process, out int clock);

    [DllImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
