using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Client.Tests.Support;

/// <summary>A folder that goes away with the test.</summary>
internal sealed class TempFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kmsg-client-tests-");

    public string File(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Everything in it.</summary>
    public byte[] AllBytes() => [.. _folder
        .EnumerateFiles("*", SearchOption.AllDirectories)
        .SelectMany(static file => System.IO.File.ReadAllBytes(file.FullName))];

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }
}
