using KerberosMessaging.Hosting.Startup;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>
/// Keeps a second server out of the data folder. The writer's cache is right only while no other process writes; and the
/// system gives the lock back however the process ends.
/// </summary>
internal sealed class DataFolderLock : IDisposable
{
    private readonly FileStream _file;

    private DataFolderLock(FileStream file) => _file = file;

    /// <summary>Takes the lock.</summary>
    /// <param name="path">A file in the data folder.</param>
    /// <exception cref="StartupException">Another server has it, or the file cannot be made.</exception>
    public static DataFolderLock Take(string path)
    {
        try
        {
            return new DataFolderLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"the data folder '{Path.GetDirectoryName(path)}' is in use by another message server, or cannot be written: stop the other, or set Data:Directory.", e);
        }
    }

    public void Dispose() => _file.Dispose();
}
