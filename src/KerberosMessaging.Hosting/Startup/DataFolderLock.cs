namespace KerberosMessaging.Hosting.Startup;

/// <summary>
/// Keeps a second server out of a data folder: what a server remembers of its database is right only while no other process
/// writes. The system gives the lock back however the process ends.
/// </summary>
public sealed class DataFolderLock : IDisposable
{
    private readonly FileStream _file;

    private DataFolderLock(FileStream file) => _file = file;

    /// <summary>Takes the lock; disposing gives it back.</summary>
    /// <param name="path">A file in the data folder, made when it is missing. It stays, empty, when the lock is given back.</param>
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
                $"the data folder '{Path.GetDirectoryName(path)}' is in use by another server, or cannot be written: stop the other, or set Data:Directory.", e);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _file.Dispose();
}
