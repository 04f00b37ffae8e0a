using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace KerberosMessaging.Benchmarks.Servers;

/// <summary>
/// Servers run on one CPU and the load on another, so that neither takes time or cache from the other
/// (sched_setaffinity(2)). A server sees one CPU then, and its runtime chooses its threads and its garbage collector for one.
/// </summary>
internal static class CpuPinning
{
    // Room for 1024 CPUs, as glibc's cpu_set_t has.
    private const int MaskWords = 16;
    private const int BitsPerWord = 64;

    private static readonly List<int> Allowed = ReadAllowed();

    /// <summary>The CPU of the servers.</summary>
    public static int ServerCpu => Allowed[0];

    /// <summary>The CPU of the load: the servers' own where there is only one.</summary>
    public static int LoadCpu => Allowed[Math.Min(1, Allowed.Count - 1)];

    /// <summary>Whether load and servers have to share one CPU.</summary>
    public static bool IsShared => ServerCpu == LoadCpu;

    /// <summary>
    /// Pins all threads of this process; those that follow inherit it. The pool was made for all CPUs and now has one: more
    /// than one thread would only take turns. So nothing here may block a thread of the pool until another one does something.
    /// </summary>
    public static void PinLoad()
    {
        ThreadPool.SetMinThreads(1, 1);
        ThreadPool.SetMaxThreads(1, 1);
        foreach (var thread in Directory.EnumerateDirectories("/proc/self/task"))
        {
            Pin(int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture), LoadCpu);
        }
    }

    /// <summary>Starts something on the servers' CPU: a child process inherits the CPU of the thread that starts it.</summary>
    public static T OnServerCpu<T>(Func<T> start)
    {
        Pin(thread: 0, ServerCpu);
        try
        {
            return start();
        }
        finally
        {
            Pin(thread: 0, LoadCpu);
        }
    }

    private static void Pin(int thread, int cpu)
    {
        var mask = new ulong[MaskWords];
        mask[cpu / BitsPerWord] = 1UL << (cpu % BitsPerWord);
        if (SetAffinity(thread, MaskWords * sizeof(ulong), mask) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    private static List<int> ReadAllowed()
    {
        var mask = new ulong[MaskWords];
        if (GetAffinity(0, MaskWords * sizeof(ulong), mask) < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        return [.. Enumerable.Range(0, MaskWords * BitsPerWord)
            .Where(cpu => (mask[cpu / BitsPerWord] >> (cpu % BitsPerWord) & 1) != 0)];
    }

    [DllImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetAffinity(int thread, nint size, ulong[] mask);

    [DllImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetAffinity(int thread, nint size, [Out] ulong[] mask);
}
