using Microsoft.Data.Sqlite;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>A folder that goes away with the test.</summary>
internal sealed class TempFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kmsg-auth-tests-");

    public string FullName => _folder.FullName;

    public string File(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>The bytes of every file in the folder.</summary>
    public IEnumerable<(string Name, byte[] Bytes)> AllFiles()
    {
        // The lock is empty, and cannot be opened while a server has it.
        foreach (var file in _folder.EnumerateFiles("*", SearchOption.AllDirectories).Where(static file => file.Extension != ".lock"))
        {
            // The server may have its database open.
            using var stream = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            yield return (file.Name, copy.ToArray());
        }
    }

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }
}
