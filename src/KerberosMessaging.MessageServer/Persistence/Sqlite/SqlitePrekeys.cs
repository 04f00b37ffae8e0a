using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>What the writer does with prekeys: statements on its connection, inside its transactions.</summary>
internal sealed class SqlitePrekeys : IDisposable
{
    private readonly SqliteStatement _findMailbox;
    private readonly SqliteStatement _storeBundle;
    private readonly SqliteStatement _noteUpload;
    private readonly SqliteStatement _findBundles;
    private readonly SqliteStatement _countFrom;
    private readonly SqliteStatement _drop;
    private readonly SqliteStatement _insert;
    private readonly SqliteStatement _remember;
    private readonly SqliteStatement _take;
    private readonly SqliteStatement _miss;
    private readonly SqliteStatement _removeKeys;
    private readonly SqliteStatement _removeStock;
    private readonly SqlitePrekeyStock _stock;

    public SqlitePrekeys(SqliteConnection connection)
    {
        _stock = new SqlitePrekeyStock(connection);
        _findMailbox = new SqliteStatement(connection, "SELECT Id FROM Mailboxes WHERE Id = ?1");
        _storeBundle = new SqliteStatement(connection, "UPDATE Mailboxes SET PrekeyBundle = ?2 WHERE Id = ?1");
        _noteUpload = new SqliteStatement(connection, "UPDATE Mailboxes SET PrekeysUploadedAt = ?2 WHERE Id = ?1");
        _findBundles = new SqliteStatement(connection, "SELECT Id, DeviceId, PrekeyBundle FROM Mailboxes WHERE ClientId = ?1");
        _countFrom = new SqliteStatement(
            connection, "SELECT COUNT(*) FROM OneTimePrekeys WHERE MailboxId = ?1 AND Kind = ?2 AND Id >= ?3");
        _drop = new SqliteStatement(connection, "DELETE FROM OneTimePrekeys WHERE MailboxId = ?1 AND Id < ?2");
        _insert = new SqliteStatement(
            connection, "INSERT INTO OneTimePrekeys (MailboxId, Kind, Id, \"Key\") VALUES (?1, ?2, ?3, ?4)");
        _remember = new SqliteStatement(
            connection,
            """
            INSERT INTO OneTimePrekeyStocks (MailboxId, Kind, NewestId, Misses) VALUES (?1, ?2, ?3, 0)
            ON CONFLICT (MailboxId, Kind) DO UPDATE SET NewestId = excluded.NewestId
            """);
        _take = new SqliteStatement(
            connection,
            """
            DELETE FROM OneTimePrekeys WHERE MailboxId = ?1 AND Kind = ?2
                AND Id = (SELECT MIN(Id) FROM OneTimePrekeys WHERE MailboxId = ?1 AND Kind = ?2)
            RETURNING Id, "Key"
            """);
        _miss = new SqliteStatement(
            connection,
            """
            INSERT INTO OneTimePrekeyStocks (MailboxId, Kind, NewestId, Misses) VALUES (?1, ?2, 0, 1)
            ON CONFLICT (MailboxId, Kind) DO UPDATE SET Misses = Misses + 1
            """);
        _removeKeys = new SqliteStatement(connection, "DELETE FROM OneTimePrekeys WHERE MailboxId = ?1");
        _removeStock = new SqliteStatement(connection, "DELETE FROM OneTimePrekeyStocks WHERE MailboxId = ?1");
    }

    /// <summary>Carries out an upload; see <see cref="UploadPrekeysWrite"/>.</summary>
    public PrekeyUpload Upload(UploadPrekeysWrite upload, DateTimeOffset now)
    {
        // All of it is judged before anything is changed: the transaction is not this upload's alone.
        if (Int64(_findMailbox.Bind(1, upload.Mailbox)) == 0)
        {
            return new PrekeyUpload(PrekeyUploadStatus.NoMailbox);
        }

        var before = _stock.Read(upload.Mailbox);
        if (Select(upload, OneTimePrekeyKind.X25519, before.X25519) is not { } x25519
            || Select(upload, OneTimePrekeyKind.MlKem768, before.MlKem768) is not { } mlKem768)
        {
            return new PrekeyUpload(PrekeyUploadStatus.TooMany);
        }

        if (upload.Bundle.Length > 0)
        {
            _storeBundle.Bind(1, upload.Mailbox).Bind(2, upload.Bundle).Execute();
        }

        _noteUpload.Bind(1, upload.Mailbox).Bind(2, now.ToUnixTimeMilliseconds()).Execute();
        _drop.Bind(1, upload.Mailbox).Bind(2, upload.DropBelow).Execute();
        Insert(upload.Mailbox, x25519);
        Insert(upload.Mailbox, mlKem768);
        return new PrekeyUpload(PrekeyUploadStatus.Stored, _stock.Read(upload.Mailbox));
    }

    /// <summary>Carries out a fetch; see <see cref="TakePrekeysWrite"/>.</summary>
    public List<DevicePrekeys>? Take(TakePrekeysWrite take)
    {
        var found = FindBundles(take.Client);
        if (found.Count == 0)
        {
            return null;
        }

        var prekeys = new List<DevicePrekeys>();
        foreach (var (mailbox, device, bundle) in found)
        {
            if (bundle is not null && device != take.Requester && take.Devices.Contains(device.Device))
            {
                OneTimePrekey?[] taken = [Take(mailbox, OneTimePrekeyKind.X25519), Take(mailbox, OneTimePrekeyKind.MlKem768)];
                prekeys.Add(new DevicePrekeys(device.Device, bundle, [.. taken.OfType<OneTimePrekey>()], _stock.Read(mailbox)));
            }
        }

        return prekeys;
    }

    /// <summary>Deletes what belongs to a mailbox.</summary>
    public void Remove(long mailbox)
    {
        _removeKeys.Bind(1, mailbox).Execute();
        _removeStock.Bind(1, mailbox).Execute();
    }

    public void Dispose()
    {
        _findMailbox.Dispose();
        _storeBundle.Dispose();
        _noteUpload.Dispose();
        _findBundles.Dispose();
        _countFrom.Dispose();
        _drop.Dispose();
        _insert.Dispose();
        _remember.Dispose();
        _take.Dispose();
        _miss.Dispose();
        _removeKeys.Dispose();
        _removeStock.Dispose();
        _stock.Dispose();
    }

    // 0 when there is no row.
    private static long Int64(SqliteStatement statement)
    {
        try
        {
            return statement.Step() ? statement.Int64(0) : 0;
        }
        finally
        {
            statement.Reset();
        }
    }

    // The keys of a kind that are new; null when there would be too many.
    private OneTimePrekey[]? Select(UploadPrekeysWrite upload, OneTimePrekeyKind kind, OneTimePrekeyStock before)
    {
        var added = upload.Keys.Where(key => key.Kind == kind && key.Id > before.NewestId).ToArray();
        var kept = Int64(_countFrom.Bind(1, upload.Mailbox).Bind(2, (long)kind).Bind(3, upload.DropBelow));
        return kept + added.Length <= ProtocolLimits.OneTimePrekeysPerKind ? added : null;
    }

    private void Insert(long mailbox, OneTimePrekey[] keys)
    {
        foreach (var (kind, id, key) in keys)
        {
            _insert.Bind(1, mailbox).Bind(2, (long)kind).Bind(3, id).Bind(4, key).Execute();
        }

        if (keys.Length > 0)
        {
            _remember.Bind(1, mailbox).Bind(2, (long)keys[^1].Kind).Bind(3, keys[^1].Id).Execute();
        }
    }

    private OneTimePrekey? Take(long mailbox, OneTimePrekeyKind kind)
    {
        try
        {
            if (_take.Bind(1, mailbox).Bind(2, (long)kind).Step())
            {
                var taken = new OneTimePrekey(kind, (uint)_take.Int64(0), _take.Blob(1).ToArray());

                // A deletion is over only at its last row.
                _take.Step();
                return taken;
            }
        }
        finally
        {
            _take.Reset();
        }

        _miss.Bind(1, mailbox).Bind(2, (long)kind).Execute();
        return null;
    }

    private List<(long Mailbox, DeviceAddress Device, byte[]? Bundle)> FindBundles(ClientId client)
    {
        var found = new List<(long, DeviceAddress, byte[]?)>();
        try
        {
            _findBundles.Bind(1, client.Value);
            while (_findBundles.Step())
            {
                found.Add((
                    _findBundles.Int64(0),
                    new DeviceAddress(client, new DeviceId(_findBundles.Id(1))),
                    _findBundles.IsNull(2) ? null : _findBundles.Blob(2).ToArray()));
            }

            return found;
        }
        finally
        {
            _findBundles.Reset();
        }
    }
}
