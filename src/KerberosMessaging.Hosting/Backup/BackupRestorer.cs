using KerberosMessaging.Hosting.Startup;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>
/// Puts a backup into an empty data folder. It is read twice: as a whole before anything is written, and then to write it. What the server must
/// not go on with (sessions, one-time prekeys, numbers) is settled by the server's next start, which sees that its database is a copy.
/// </summary>
internal static class BackupRestorer
{
    private const string WorkFolder = ".restore";

    /// <summary>Restores a backup.</summary>
    /// <param name="data">Whose data it must be.</param>
    /// <param name="options">Where to put it.</param>
    /// <param name="path">The backup.</param>
    /// <param name="key">The key, for one that is sealed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StartupException">It cannot be restored; the data folder is as it was.</exception>
    public static BackupManifest Restore(ServerData data, DataOptions options, string path, BackupKey? key, CancellationToken cancellationToken)
    {
        RequireEmpty(options);
        var manifest = BackupArchive.Read(path, key, take: null, cancellationToken);
        if (manifest.Server != data.Kind)
        {
            throw new StartupException($"the backup '{path}' is not of a server of this kind: it says '{manifest.Server}'.");
        }

        if (!data.Migrations.Contains(manifest.Schema) || manifest.Parts.All(part => part.Name != data.Database))
        {
            throw new StartupException($"the backup '{path}' was made by a newer version of the server: restore it with that version.");
        }

        PrivateFile.CreateFolder(Path.GetFullPath(options.Directory));
        using var inUse = DataFolderLock.Take(options.PathOf(data.LockFile));
        RequireEmpty(options);
        var work = options.PathOf(WorkFolder);
        Remove(work);
        PrivateFile.CreateFolder(work);
        try
        {
            var written = BackupArchive.Read(path, key, (name, content) => Write(work, name, content), cancellationToken);
            if (written.MadeAt != manifest.MadeAt || written.Parts.Count != manifest.Parts.Count)
            {
                throw new StartupException($"the backup '{path}' was changed while it was read.");
            }

            Settle(data, options, work);
        }
        finally
        {
            Remove(work);
        }

        return manifest;
    }

    private static void RequireEmpty(DataOptions options)
    {
        var folder = Path.GetFullPath(options.Directory);
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Any(static name => !MayBeThere(name!)))
        {
            throw new StartupException($"the data folder '{folder}' is not empty: stop the server if it runs, and move what is there away.");
        }
    }

    // The key that a new disk was given before, what file systems keep there, locks that nobody holds, and a restore that was broken off.
    private static bool MayBeThere(string name) =>
        name is DataOptions.MadeMasterKey or "lost+found" or WorkFolder || name.EndsWith(".lock", StringComparison.Ordinal);

    private static void Write(string work, string name, Stream content)
    {
        var path = Path.Combine(work, name);

        // One after the other: a folder that is made on the way to another gets the usual mode.
        for (var end = name.IndexOf('/', StringComparison.Ordinal); end >= 0; end = name.IndexOf('/', end + 1))
        {
            PrivateFile.CreateFolder(Path.Combine(work, name[..end]));
        }

        using var file = PrivateFile.Create(path);
        content.CopyTo(file);
        file.Flush(flushToDisk: true);
    }

    // The database comes last: while it is missing, nothing here is taken for a server's data.
    private static void Settle(ServerData data, DataOptions options, string work)
    {
        foreach (var folder in Directory.EnumerateDirectories(work))
        {
            Directory.Move(folder, options.PathOf(Path.GetFileName(folder)));
        }

        foreach (var file in Directory.EnumerateFiles(work).OrderBy(file => Path.GetFileName(file) == data.Database))
        {
            var path = options.PathOf(Path.GetFileName(file));
            if (!File.Exists(path))
            {
                File.Move(file, path);
            }
        }

        FolderFlush.Run(Path.GetFullPath(options.Directory));
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
