using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Client.Backups;

/// <summary>
/// A new store that is filled from a backup under another name, before the realm is asked for anything, and gets its own when the
/// password is proven. Until <see cref="Keep"/> is called it goes with this object; what a crash leaves has another name, and
/// nobody has a key to it.
/// </summary>
internal sealed class RestoredStore : IDisposable
{
    private readonly string _path;
    private readonly string _unfinished;
    private readonly SecretBytes _outerKey = SecretBytes.Random(AuthenticatedCbc.KeySize);
    private string? _made;

    private RestoredStore(string path) =>
        (_path, _unfinished) = (Path.GetFullPath(path), $"{Path.GetFullPath(path)}.{Guid.NewGuid():N}.restoring");

    /// <summary>Makes and fills it.</summary>
    /// <exception cref="MessagingException">There is a store already, or the backup cannot be used. Nothing is left behind.</exception>
    public static RestoredStore Make(
        string path, string backupPath, SecretBytes passphrase, RealmPin realm, string name, CancellationToken cancellationToken)
    {
        var store = new RestoredStore(path);
        try
        {
            store.RefuseIfThereIsOne();
            BackupFile.Read(backupPath, passphrase, reader => store.Fill(reader, realm, name, cancellationToken));
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Gives it its name, seals it under what opens it from now on, and opens it.</summary>
    public LocalStore Open(SecretBytes outerKey)
    {
        RefuseIfThereIsOne();
        using (var store = LocalStore.OpenOrCreate(_unfinished, _outerKey))
        {
            store.TrySealUnder(outerKey, [_outerKey]);
        }

        // One file without a journal, or what is in that would stay behind.
        FormerStore.Settle(_unfinished);
        try
        {
            File.Move(_unfinished, _path, overwrite: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failures.Store(_path, e);
        }

        _made = _path;
        return LocalStore.OpenOrCreate(_path, outerKey);
    }

    /// <summary>The login stands: from now on it is a store like any other.</summary>
    public void Keep() => _made = null;

    public void Dispose()
    {
        _outerKey.Dispose();
        Delete(_unfinished);
        if (_made is not null)
        {
            Delete(_made);
        }
    }

    private static void Delete(string path)
    {
        // Where the folder was never made there is nothing, and Delete would fail on that.
        foreach (var file in FilesOf(path).Where(File.Exists))
        {
            File.Delete(file);
        }
    }

    // A journal that is left over would be taken for the new store's.
    private static string[] FilesOf(string path) => [path, $"{path}-wal", $"{path}-shm", $"{path}-journal"];

    private void RefuseIfThereIsOne()
    {
        if (FilesOf(_path).Any(Path.Exists))
        {
            throw new MessagingException(
                MessagingFailure.StoreUnusable, $"there is a local store '{_path}' already, and a backup is restored into a new one alone");
        }
    }

    private void Fill(BackupReader reader, RealmPin realm, string name, CancellationToken cancellationToken)
    {
        var owner = BackupContent.LoadOwner(reader);
        if (!realm.IsExpectedKey(owner.RealmKey))
        {
            throw new BackupException("it is of another realm");
        }

        if (!ClientNames.AreSame(owner.Name, name))
        {
            throw new BackupException("it is of another client");
        }

        using (var store = LocalStore.OpenOrCreate(_unfinished, _outerKey))
        {
            store.Write(transaction =>
            {
                BackupContent.Load(transaction, reader, cancellationToken);

                // So that the login refuses another client of the same name.
                new Account(owner.Client, owner.Name, DeviceKeys.Device(transaction), [], owner.RealmKey, default).Save(transaction);
            });
        }
    }
}
