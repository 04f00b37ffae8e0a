using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>What the writer does with prekeys: statements on its connection, inside its transactions.</summary>
internal sealed class SqlitePrekeys : IDisposable
{
    private readonly PreparedCommand _findMailbox;
    private readonly PreparedCommand _storeBundle;
    private readonly PreparedCommand _findBundles;
    private readonly PreparedCommand _countFrom;
    private readonly PreparedCommand _drop;
    private readonly PreparedCommand _insert;
    private readonly PreparedCommand _remember;
    private readonly PreparedCommand _take;
    private readonly PreparedCommand _miss;
    private readonly PreparedCommand _removeKeys;
    private readonly PreparedCommand _removeStock;
    private readonly SqlitePrekeyStock _stock;

    public SqlitePrekeys(SqliteConnection connection)
    {
        _stock = new SqlitePrekeyStock(connection);
        _findMailbox = new PreparedCommand(connection, "SELECT Id FROM Mailboxes WHERE Id = @0", 1);
        _storeBundle = new PreparedCommand(connection, "UPDATE Mailboxes SET PrekeyBundle = @1 WHERE Id = @0", 2);
        _findBundles = new PreparedCommand(connection, "SELECT Id, DeviceId, PrekeyBundle FROM Mailboxes WHERE ClientId = @0", 1);
        _countFrom = new PreparedCommand(
            connection, "SELECT COUNT(*) FROM OneTimePrekeys WHERE MailboxId = @0 AND Kind = @1 AND Id >= @2", 3);
        _drop = new PreparedCommand(connection, "DELETE FROM OneTimePrekeys WHERE MailboxId = @0 AND Id < @1", 2);
        _insert = new PreparedCommand(
            connection, "INSERT INTO OneTimePrekeys (MailboxId, Kind, Id, \"Key\") VALUES (@0, @1, @2, @3)", 4);
        _remember = new PreparedCommand(
            connection,
            """
            INSERT INTO OneTimePrekeyStocks (MailboxId, Kind, NewestId, Misses) VALUES (@0, @1, @2, 0)
            ON CONFLICT (MailboxId, Kind) DO UPDATE SET NewestId = excluded.NewestId
            """,
            3);
        _take = new PreparedCommand(
            connection,
            """
            DELETE FROM OneTimePrekeys WHERE MailboxId = @0 AND Kind = @1
                AND Id = (SELECT MIN(Id) FROM OneTimePrekeys WHERE MailboxId = @0 AND Kind = @1)
            RETURNING Id, "Key"
            """,
            2);
        _miss = new PreparedCommand(
            connection,
            """
            INSERT INTO OneTimePrekeyStocks (MailboxId, Kind, NewestId, Misses) VALUES (@0, @1, 0, 1)
            ON CONFLICT (MailboxId, Kind) DO UPDATE SET Misses = Misses + 1
            """,
            2);
        const string OfDevice = "WHERE MailboxId = (SELECT Id FROM Mailboxes WHERE ClientId = @0 AND DeviceId = @1)";
        _removeKeys = new PreparedCommand(connection, "DELETE FROM OneTimePrekeys " + OfDevice, 2);
        _removeStock = new PreparedCommand(connection, "DELETE FROM OneTimePrekeyStocks " + OfDevice, 2);
    }

    /// <summary>Carries out an upload; see <see cref="UploadPrekeysWrite"/>.</summary>
    public PrekeyUpload Upload(UploadPrekeysWrite upload)
    {
        // All of it is judged before anything is changed: the transaction is not this upload's alone.
        if (_findMailbox.Scalar(upload.Mailbox) is null)
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
            _storeBundle.Execute(upload.Mailbox, upload.Bundle);
        }

        _drop.Execute(upload.Mailbox, upload.DropBelow);
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

    /// <summary>Deletes what a device has here, before its mailbox goes.</summary>
    public void Remove(DeviceAddress device)
    {
        _removeKeys.Execute(Blob(device.Client.Value), Blob(device.Device.Value));
        _removeStock.Execute(Blob(device.Client.Value), Blob(device.Device.Value));
    }

    public void Dispose()
    {
        _findMailbox.Dispose();
        _storeBundle.Dispose();
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

    private static byte[] Blob(Guid id) => id.ToByteArray(bigEndian: true);

    // The keys of a kind that are new; null when there would be too many.
    private OneTimePrekey[]? Select(UploadPrekeysWrite upload, OneTimePrekeyKind kind, OneTimePrekeyStock before)
    {
        var added = upload.Keys.Where(key => key.Kind == kind && key.Id > before.NewestId).ToArray();
        var kept = (long)_countFrom.Scalar(upload.Mailbox, kind, upload.DropBelow)!;
        return kept + added.Length <= ProtocolLimits.OneTimePrekeysPerKind ? added : null;
    }

    private void Insert(long mailbox, OneTimePrekey[] keys)
    {
        foreach (var (kind, id, key) in keys)
        {
            _insert.Execute(mailbox, kind, id, key);
        }

        if (keys.Length > 0)
        {
            _remember.Execute(mailbox, keys[^1].Kind, keys[^1].Id);
        }
    }

    private OneTimePrekey? Take(long mailbox, OneTimePrekeyKind kind)
    {
        using (var rows = _take.Query(mailbox, kind))
        {
            if (rows.Read())
            {
                return new OneTimePrekey(kind, rows.GetFieldValue<uint>(0), rows.GetFieldValue<byte[]>(1));
            }
        }

        _miss.Execute(mailbox, kind);
        return null;
    }

    private List<(long Mailbox, DeviceAddress Device, byte[]? Bundle)> FindBundles(ClientId client)
    {
        var found = new List<(long, DeviceAddress, byte[]?)>();
        using var rows = _findBundles.Query(Blob(client.Value));
        while (rows.Read())
        {
            var device = new DeviceId(new Guid(rows.GetFieldValue<byte[]>(1), bigEndian: true));
            found.Add((rows.GetInt64(0), new DeviceAddress(client, device), rows.IsDBNull(2) ? null : rows.GetFieldValue<byte[]>(2)));
        }

        return found;
    }
}
