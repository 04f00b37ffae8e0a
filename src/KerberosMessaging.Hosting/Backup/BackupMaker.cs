using System.Formats.Tar;
using System.Reflection;
using KerberosMessaging.Hosting.Startup;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>
/// Makes backups, while a server runs or not. First the database is copied, then what it names: a file that was removed in between is taken out
/// of the copy again, and one that was added is not missed. The other way round, a file that came in between would be missed. The key ring comes
/// last, since a key is in it before something is sealed under it.
/// </summary>
internal static class BackupMaker
{
    private const string LockFile = "backup.lock";
    private const string WorkFolder = ".backup";

    /// <summary>Writes a backup: whole and on disk, or not at all.</summary>
    /// <param name="data">What to back up.</param>
    /// <param name="options">Where it is.</param>
    /// <param name="path">The file to write; there must be none of that name.</param>
    /// <param name="key">What to seal it under; null to write it in clear.</param>
    /// <param name="withMasterKey">Whether the master key goes into it, which only a sealed one may hold.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <returns>What is in it.</returns>
    /// <exception cref="StartupException">It cannot be made.</exception>
    public static BackupManifest Make(
        ServerData data, DataOptions options, string path, BackupKey? key, bool withMasterKey, TimeProvider time, CancellationToken cancellationToken)
    {
        if (withMasterKey && key is null)
        {
            throw new StartupException("the master key goes only into a backup that is encrypted.");
        }

        if (!File.Exists(options.PathOf(data.Database)))
        {
            throw new StartupException($"there is no database '{options.PathOf(data.Database)}': set Data:Directory to the server's data folder.");
        }

        if (Path.Exists(path))
        {
            throw new StartupException($"there is a file '{path}' already, and no backup is written over.");
        }

        using var turn = TakeTurn(options);
        var work = options.PathOf(WorkFolder);
        PrivateFile.CreateFolder(work);
        try
        {
            var partial = $"{Path.GetFullPath(path)}.{Guid.NewGuid():N}.partial";
            try
            {
                BackupManifest manifest;
                using (var file = PrivateFile.Create(partial))
                {
                    if (key is null)
                    {
                        manifest = Write(file, data, options, withMasterKey, time, cancellationToken);
                    }
                    else
                    {
                        using var sealing = new SealingStream(file, key);
                        manifest = Write(sealing, data, options, withMasterKey, time, cancellationToken);
                        sealing.Complete();
                    }

                    file.Flush(flushToDisk: true);
                }

                File.Move(partial, path, overwrite: false);
                FolderFlush.Run(Path.GetDirectoryName(Path.GetFullPath(path))!);
                return manifest;
            }
            finally
            {
                // There is none once it was moved.
                File.Delete(partial);
            }
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static BackupManifest Write(
        Stream destination, ServerData data, DataOptions options, bool withMasterKey, TimeProvider time, CancellationToken cancellationToken)
    {
        var madeAt = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var copy = Path.Combine(options.PathOf(WorkFolder), data.Database);
        File.Delete(copy);
        var schema = data.Copy(options.PathOf(data.Database), copy, madeAt);
        var parts = new List<BackupPart>();
        var removed = new List<string>();
        using var writer = new TarWriter(destination, TarEntryFormat.Pax, leaveOpen: true);
        foreach (var name in data.FilesOf(copy))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!TryAdd(writer, name, options.PathOf(name), madeAt, parts))
            {
                removed.Add(name);
            }
        }

        data.Forget(copy, removed);
        Add(writer, data.Database, copy, madeAt, parts);
        foreach (var file in Directory.EnumerateFiles(options.PathOf(KeyRing.Folder)).Where(KeyRing.IsPart).Order(StringComparer.Ordinal))
        {
            Add(writer, $"{KeyRing.Folder}/{Path.GetFileName(file)}", file, madeAt, parts);
        }

        if (withMasterKey)
        {
            AddMasterKey(writer, options, madeAt, parts);
        }

        var manifest = new BackupManifest(
            BackupManifest.CurrentFormat, data.Kind, VersionOf(data.GetType().Assembly), schema, madeAt, parts);
        using var content = new MemoryStream(manifest.ToBytes());
        writer.WriteEntry(Entry(BackupManifest.Name, content, madeAt));
        return manifest;
    }

    private static void AddMasterKey(TarWriter writer, DataOptions options, DateTimeOffset madeAt, List<BackupPart> parts)
    {
        if (options.GivenMasterKey is not { } text)
        {
            Add(writer, DataOptions.MadeMasterKey, options.MasterKeyPath, madeAt, parts);
            return;
        }

        using var content = new MemoryStream(System.Text.Encoding.ASCII.GetBytes(text));
        Add(writer, DataOptions.MadeMasterKey, content, madeAt, parts);
    }

    private static void Add(TarWriter writer, string name, string path, DateTimeOffset madeAt, List<BackupPart> parts)
    {
        using var content = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        Add(writer, name, content, madeAt, parts);
    }

    private static void Add(TarWriter writer, string name, Stream content, DateTimeOffset madeAt, List<BackupPart> parts)
    {
        using var hashing = new HashingStream(content);
        writer.WriteEntry(Entry(name, hashing, madeAt));
        parts.Add(hashing.ToPart(name));
    }

    private static bool TryAdd(TarWriter writer, string name, string path, DateTimeOffset madeAt, List<BackupPart> parts)
    {
        try
        {
            Add(writer, name, path, madeAt, parts);
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    private static PaxTarEntry Entry(string name, Stream content, DateTimeOffset madeAt) => new(TarEntryType.RegularFile, name)
    {
        DataStream = content,
        Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        ModificationTime = madeAt,
    };

    private static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    // What a backup that was broken off left behind is of nobody while the turn is held.
    private static DataFolderLock TakeTurn(DataOptions options)
    {
        try
        {
            var turn = DataFolderLock.Take(options.PathOf(LockFile));
            if (Directory.Exists(options.PathOf(WorkFolder)))
            {
                Directory.Delete(options.PathOf(WorkFolder), recursive: true);
            }

            return turn;
        }
        catch (StartupException e)
        {
            throw new StartupException("another backup is being made, or the data folder cannot be written.", e);
        }
    }
}
