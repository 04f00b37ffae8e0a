using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Client.Store;

/// <summary>
/// The local store: one SQLite file for one client on one device. Every change is one transaction that holds the write
/// lock from its start, so that several processes of one device can share the file. Secrets are sealed (see
/// <see cref="StoreCipher"/>) under a random store key, which itself is sealed under a key from the password or a key file.
/// </summary>
internal sealed class LocalStore : IDisposable
{
    /// <summary>The setting that is sealed under the outer key.</summary>
    public const string WrappedKeyName = "store key";

    private const string WrappedKeyPlace = "settings.store key";
    private const string WrappingLabel = "kmsg/25 store key wrapping";

    private readonly string _connectionString;
    private readonly StoreCipher _cipher;

    // Held for reading by every transaction: the key is erased only when none runs, or the last ones would seal under zeros.
    private readonly ReaderWriterLockSlim _inUse = new();

    // Open as long as the store is: whoever wants to set the file aside sees that it is in use.
    private readonly SqliteConnection _presence;
    private bool _isDisposed;

    private LocalStore(string path, string connectionString, StoreCipher cipher)
    {
        (Path, _connectionString, _cipher) = (path, connectionString, cipher);
        _presence = Connect(connectionString);
    }

    public string Path { get; }

    /// <summary>A copy of the store key, for a session file that spares the password while the login lasts.</summary>
    public SecretBytes CopyKey() => Use(_cipher.CopyKey);

    /// <summary>Opens the store with a key from the password (OPAQUE's export_key) or a key file, making it when it is missing.</summary>
    public static LocalStore OpenOrCreate(string path, SecretBytes outerKey) =>
        TryOpenOrCreate(path, outerKey) ?? throw Connections.Failures.SealedStore(path);

    /// <summary>The same; null when the store is there and sealed under another key.</summary>
    public static LocalStore? TryOpenOrCreate(string path, SecretBytes outerKey) => Guard(path, () =>
    {
        var connectionString = Prepare(path, mayCreate: true);
        return UnwrapOrMakeKey(connectionString, outerKey) is { } storeKey ? Open(path, connectionString, storeKey) : null;
    });

    /// <summary>Opens an existing store with its own key.</summary>
    public static LocalStore Open(string path, SecretBytes storeKey) => Guard(path, () =>
        Open(path, Prepare(path, mayCreate: false), storeKey.Clone()));

    /// <summary>
    /// Seals the store key under another outer key, if it is sealed under one of these by now. False where it is not, as in a
    /// store that has a key file: then nothing changes.
    /// </summary>
    public bool TrySealUnder(SecretBytes newOuterKey, IEnumerable<SecretBytes> formerOuterKeys) => Use(() =>
    {
        using var connection = Connect(_connectionString);
        using var transaction = connection.BeginTransaction(deferred: false);
        var wrapped = ReadWrappedKey(connection, transaction) ?? throw new IOException("it is damaged");
        if (!formerOuterKeys.Any(IsSealedUnder))
        {
            return false;
        }

        using var wrapping = WrappingCipher(newOuterKey);
        using var storeKey = _cipher.CopyKey();
        WriteWrappedKey(connection, transaction, wrapping.Seal(WrappedKeyPlace, [], storeKey.Span));
        transaction.Commit();
        return true;

        bool IsSealedUnder(SecretBytes outerKey)
        {
            using var former = WrappingCipher(outerKey);
            using var opened = former.TryOpen(WrappedKeyPlace, [], wrapped);
            return opened is not null;
        }
    });

    /// <summary>Runs an action in a transaction of its own; what it changed is on disk when this returns.</summary>
    public T Write<T>(Func<StoreTransaction, T> action) => Use(() =>
    {
        using var connection = Connect(_connectionString);
        using var transaction = connection.BeginTransaction(deferred: false);
        var result = action(new StoreTransaction(connection, transaction, _cipher));
        transaction.Commit();
        return result;
    });

    /// <inheritdoc cref="Write{T}"/>
    public void Write(Action<StoreTransaction> action) => Write(transaction =>
    {
        action(transaction);
        return 0;
    });

    /// <summary>Runs an action that changes nothing.</summary>
    public T Read<T>(Func<StoreTransaction, T> action) => Use(() =>
    {
        using var connection = Connect(_connectionString);
        using var transaction = connection.BeginTransaction(deferred: true);
        return action(new StoreTransaction(connection, transaction, _cipher));
    });

    public void Dispose()
    {
        _inUse.EnterWriteLock();
        _isDisposed = true;
        _inUse.ExitWriteLock();
        _cipher.Dispose();
        _presence.Dispose();
        SqliteConnection.ClearPool(_presence);
    }

    internal static SqliteCommand Command(
        SqliteConnection connection,
        SqliteTransaction transaction,
        string sql,
        params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        return command;
    }

    private static SecretBytes? UnwrapOrMakeKey(string connectionString, SecretBytes outerKey)
    {
        using var wrapping = WrappingCipher(outerKey);
        using var connection = Connect(connectionString);
        using var transaction = connection.BeginTransaction(deferred: false);
        if (ReadWrappedKey(connection, transaction) is { } wrapped)
        {
            var existing = wrapping.TryOpen(WrappedKeyPlace, [], wrapped);
            if (existing is null)
            {
                SqliteConnection.ClearPool(connection);
            }

            return existing;
        }

        var storeKey = SecretBytes.Random(AuthenticatedCbc.KeySize);
        WriteWrappedKey(connection, transaction, wrapping.Seal(WrappedKeyPlace, [], storeKey.Span));
        transaction.Commit();
        return storeKey;
    }

    // The key becomes the store's own.
    private static LocalStore Open(string path, string connectionString, SecretBytes storeKey)
    {
        var cipher = new StoreCipher(storeKey);
        try
        {
            using var connection = Connect(connectionString);
            StoreMigration.Run(connection, cipher, DateTimeOffset.UtcNow);
            return new LocalStore(path, connectionString, cipher);
        }
        catch
        {
            cipher.Dispose();
            throw;
        }
    }

    private static StoreCipher WrappingCipher(SecretBytes outerKey)
    {
        var wrappingKey = new SecretBytes(AuthenticatedCbc.KeySize);
        using var prk = new SecretBytes(KeyDerivation.PseudorandomKeySize);
        KeyDerivation.Extract([], outerKey.Span, prk.Span);
        KeyDerivation.Expand(prk.Span, WrappingLabel, wrappingKey.Span);
        return new StoreCipher(wrappingKey);
    }

    private static byte[]? ReadWrappedKey(SqliteConnection connection, SqliteTransaction transaction)
    {
        using var select = Command(connection, transaction, "SELECT value FROM settings WHERE name = $name", ("$name", WrappedKeyName));
        return select.ExecuteScalar() as byte[];
    }

    private static void WriteWrappedKey(SqliteConnection connection, SqliteTransaction transaction, byte[] wrapped)
    {
        using var write = Command(
            connection,
            transaction,
            "INSERT INTO settings (name, value) VALUES ($name, $value) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            ("$name", WrappedKeyName),
            ("$value", wrapped));
        write.ExecuteNonQuery();
    }

    private static string Prepare(string path, bool mayCreate)
    {
        path = System.IO.Path.GetFullPath(path);
        if (!File.Exists(path))
        {
            if (!mayCreate)
            {
                throw new FileNotFoundException("it does not exist");
            }

            CreateFile(path);
        }

        var connectionString = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite }.ToString();
        using var connection = Connect(connectionString);
        using var transaction = connection.BeginTransaction(deferred: false);
        using var version = Command(connection, transaction, "PRAGMA user_version");
        switch ((long)version.ExecuteScalar()!)
        {
            case StoreSchema.Version:
            case StoreMigration.FormerVersion: // Brought up as soon as there is a key.
                break;
            case 0:
                using (var create = Command(
                    connection,
                    transaction,
                    $"{StoreSchema.Settings} {StoreSchema.Tables} PRAGMA user_version = {StoreSchema.Version};"))
                {
                    create.ExecuteNonQuery();
                }

                transaction.Commit();
                break;
            default:
                throw new IOException("it was made by a newer version");
        }

        return connectionString;
    }

    // Made by hand before SQLite opens it, so that it is never readable by others.
    private static void CreateFile(string path)
    {
        var folder = System.IO.Path.GetDirectoryName(path)!;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            File.Create(path).Dispose();
            return;
        }

        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }).Dispose();
    }

    private static SqliteConnection Connect(string connectionString)
    {
        var connection = new SqliteConnection(connectionString);
        connection.Open();
        using var pragmas = connection.CreateCommand();
        pragmas.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;";
        pragmas.ExecuteNonQuery();
        return connection;
    }

    private T Use<T>(Func<T> action)
    {
        _inUse.EnterReadLock();
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return Guard(Path, action);
        }
        finally
        {
            _inUse.ExitReadLock();
        }
    }

    private static T Guard<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        // What the end-to-end library refuses here is a state that it did not write.
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException or CryptographicException or EndToEndException)
        {
            throw Connections.Failures.Store(path, e);
        }
    }
}
