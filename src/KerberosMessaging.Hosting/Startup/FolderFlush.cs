using System.Runtime.InteropServices;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>
/// Writes a folder's entries to disk: a file that was renamed has its new name after a power cut only then. The framework
/// opens no folders, so this asks the system itself.
/// </summary>
public static partial class FolderFlush
{
    private const int ReadOnly = 0;

    /// <summary>Returns once the entries are on disk. Windows keeps them in its journal without being asked.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="IOException">The system could not.</exception>
    public static void Run(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = Check(Open(folder, ReadOnly));
        try
        {
            Check(Fsync(descriptor));
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static int Check(int result)
    {
        var error = Marshal.GetLastPInvokeError();
        return result >= 0 ? result : throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
