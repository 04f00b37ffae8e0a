using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>What only the machine can do to a server.</summary>
internal static class Machine
{
    private const int FileSizeLimit = 1;

    /// <summary>Mounts a small file system, or skips the test where that is not allowed.</summary>
    /// <param name="folder">An empty folder.</param>
    /// <param name="size">As mount takes it.</param>
    public static IDisposable MountSmall(string folder, string size)
    {
        SkipUnless(TryRun("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", folder), "a small file system cannot be mounted here");
        return new Mount(folder);
    }

    /// <summary>Makes a mounted file system read-only or writable again, or skips the test where that is not possible.</summary>
    public static void Remount(string folder, bool isWritable) => SkipUnless(
        TryRun("mount", "-o", isWritable ? "remount,rw" : "remount,ro", folder), "a file system cannot be made read-only here");

    /// <summary>
    /// Lets no file of a process grow beyond a size (setrlimit(2)): writes behind it fail as on a broken disk. Null takes the limit away.
    /// </summary>
    public static void LimitFileSize(int process, ulong? bytes)
    {
        var limit = new ResourceLimit { Soft = bytes ?? ulong.MaxValue, Hard = ulong.MaxValue };
        Assert.Equal(0, SetLimit(process, FileSizeLimit, limit, 0));
    }

    private static void SkipUnless(bool condition, string reason) => Assert.SkipUnless(condition, $"{reason}: it takes root, and a container that allows it.");

    private static bool TryRun(string program, params string[] args)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // There is no such program.
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "prlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetLimit(int process, int resource, in ResourceLimit limit, nint old);

    [StructLayout(LayoutKind.Sequential)]
    private struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }

    private sealed class Mount(string folder) : IDisposable
    {
        public void Dispose() => Assert.True(TryRun("umount", folder));
    }
}
