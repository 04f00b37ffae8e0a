using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Backups;

/// <summary>A backup as a file: written whole or not at all, and read once.</summary>
internal static class BackupFile
{
    /// <summary>
    /// Writes a new file, its owner's alone. It has another name until all of it is on disk, and no file that is there is replaced.
    /// </summary>
    /// <exception cref="MessagingException">It cannot be written, or there is a file of that name.</exception>
    public static void Create(
        string path, LocalStore store, BackupOwner owner, SecretBytes passphrase, CancellationToken cancellationToken) => Guard(path, () =>
    {
        if (Path.Exists(path))
        {
            throw new BackupException("there is a file of that name already");
        }

        var header = BackupFormat.NewHeader(StretchingParameters.Default);
        using var key = BackupFormat.DeriveKey(header, passphrase);
        var partial = $"{path}.{Guid.NewGuid():N}.partial";
        try
        {
            using (var file = MakeFile(partial))
            {
                file.Write(header);
                using var writer = new BackupWriter(file, key);
                store.Read(transaction =>
                {
                    BackupContent.Save(transaction, owner, writer, cancellationToken);
                    return 0;
                });
                file.Flush(flushToDisk: true);
            }

            File.Move(partial, path, overwrite: false);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    });

    /// <summary>Opens a backup and reads it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="passphrase">Its passphrase.</param>
    /// <param name="read">What reads it.</param>
    /// <exception cref="MessagingException">It cannot be read, or <paramref name="read"/> found it damaged.</exception>
    public static void Read(string path, SecretBytes passphrase, Action<BackupReader> read) => Guard(path, () =>
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        var header = new byte[BackupFormat.HeaderSize];
        var length = file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        using var key = BackupFormat.DeriveKey(header.AsSpan(0, length), passphrase);
        using var reader = new BackupReader(file, key);
        read(reader);
    });

    public static MessagingException Unusable(string path, string problem, Exception? e = null) => new(
        MessagingFailure.BackupUnusable, $"the backup '{path}' cannot be used: {problem}", e);

    private static FileStream MakeFile(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }

    private static void Guard(string path, Action action)
    {
        try
        {
            action();
        }
        catch (ProtocolException e)
        {
            // Fields that are none, though whoever sealed them knew the passphrase.
            throw Unusable(path, "it is damaged", e);
        }
        catch (Exception e) when (e is BackupException or IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, e.Message, e);
        }
    }
}
