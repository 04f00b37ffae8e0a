using System.Buffers.Binary;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>The one connection that writes mailboxes, with its statements.</summary>
internal sealed class SqliteWriter : IDisposable
{
    // 16 MiB: fewer pages are copied back more than once, and what is read is still found in little log.
    private const string Pragmas = "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384;";

    private readonly SqliteConnection _connection;
    private readonly List<SqliteStatement> _statements = [];

    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _commit;
    private readonly SqliteStatement _countMailboxes;
    private readonly SqliteStatement _findMailbox;
    private readonly SqliteStatement _openMailbox;
    private readonly SqliteStatement _closeMailbox;
    private readonly SqliteStatement _reserve;
    private readonly SqliteStatement _remember;
    private readonly SqliteStatement _deleteIds;
    private readonly SqliteStatement _append;
    private readonly SqliteMeasure _measure;
    private readonly SqliteStatement _delete;
    private readonly SqliteStatement _findExpired;
    private readonly SqliteStatement _findOld;
    private readonly SqliteStatement _deleteOldIds;
    private readonly SqliteStatement[] _probes;
    private int _probe;

    public SqliteWriter(SqliteDatabase database)
    {
        _connection = database.Open(Pragmas);
        Prekeys = new SqlitePrekeys(_connection);

        // Immediate: the lock is taken before anything is read, so what was read cannot change underneath.
        _begin = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
        _countMailboxes = Prepare("SELECT COUNT(*) FROM Mailboxes WHERE ClientId = ?1 AND DeviceId <> ?2");
        _findMailbox = Prepare("SELECT Id FROM Mailboxes WHERE ClientId = ?1 AND DeviceId = ?2");
        _openMailbox = Prepare(
            """
            INSERT INTO Mailboxes (ClientId, DeviceId, ClientName, ReservedThrough, CreatedAt, LastSeenAt)
            VALUES (?1, ?2, ?3, 0, ?4, ?4)
            ON CONFLICT (ClientId, DeviceId) DO UPDATE SET ClientName = excluded.ClientName, LastSeenAt = excluded.LastSeenAt
            RETURNING Id, ReservedThrough
            """);
        _closeMailbox = Prepare("DELETE FROM Mailboxes WHERE Id = ?1");
        _reserve = Prepare("UPDATE Mailboxes SET ReservedThrough = ?2 WHERE Id = ?1 AND ReservedThrough < ?2");
        _remember = Prepare("INSERT INTO SentIds (Id, AcceptedAt, Ids) VALUES (?1, ?2, ?3)");
        _deleteIds = Prepare("DELETE FROM SentIds WHERE Id BETWEEN ?1 AND ?2");
        _append = Prepare(
            """
            INSERT INTO Envelopes (Id, MessageId, SenderClientId, SenderDeviceId, SenderName, AcceptedAt, ExpiresAt, Body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            """);
        _measure = new SqliteMeasure(_connection);
        _delete = Prepare("DELETE FROM Envelopes WHERE Id BETWEEN ?1 AND ?2");
        _findExpired = Prepare("SELECT Id, length(Body) FROM Envelopes WHERE ExpiresAt <= ?1 ORDER BY ExpiresAt LIMIT ?2");
        _findOld = Prepare(
            "SELECT Id, length(Body) FROM Envelopes WHERE Id BETWEEN ?1 AND ?2 AND AcceptedAt < ?3 ORDER BY Id LIMIT ?4");
        _probes = [Prepare("PRAGMA user_version = 1"), Prepare("PRAGMA user_version = 2")];
        _deleteOldIds = Prepare(
            "DELETE FROM SentIds WHERE Id IN (SELECT Id FROM SentIds WHERE AcceptedAt < ?1 ORDER BY AcceptedAt LIMIT ?2)");
    }

    /// <summary>What it does with prekeys.</summary>
    public SqlitePrekeys Prekeys { get; }

    public void Begin() => _begin.Execute();

    public void Commit() => _commit.Execute();

    /// <summary>Finds or makes a mailbox; null when the client has as many others as one message can reach.</summary>
    public MailboxState? OpenMailbox(DeviceAddress device, string clientName, DateTimeOffset now)
    {
        if (Int64(_countMailboxes.Bind(1, device.Client.Value).Bind(2, device.Device.Value)) >= ProtocolLimits.DevicesPerClient)
        {
            return null;
        }

        long id, reservedThrough;
        try
        {
            _openMailbox.Bind(1, device.Client.Value).Bind(2, device.Device.Value).Bind(3, clientName)
                .Bind(4, now.ToUnixTimeMilliseconds()).Step();
            (id, reservedThrough) = (_openMailbox.Int64(0), _openMailbox.Int64(1));
            while (_openMailbox.Step())
            {
            }
        }
        finally
        {
            _openMailbox.Reset();
        }

        if (id > EnvelopeKey.LargestMailbox)
        {
            throw new InvalidOperationException("There are no more mailbox numbers.");
        }

        var (count, bytes) = _measure.Between(EnvelopeKey.FirstOf(id), EnvelopeKey.LastOf(id));
        return new MailboxState(id, device, reservedThrough, count, bytes);
    }

    /// <summary>Deletes a mailbox with all that waits in it.</summary>
    /// <returns>Its number; 0 where there is none.</returns>
    public long CloseMailbox(DeviceAddress device)
    {
        var id = Int64(_findMailbox.Bind(1, device.Client.Value).Bind(2, device.Device.Value));
        if (id == 0)
        {
            return 0;
        }

        _delete.Bind(1, EnvelopeKey.FirstOf(id)).Bind(2, EnvelopeKey.LastOf(id)).Execute();
        _deleteIds.Bind(1, EnvelopeKey.FirstOf(id)).Bind(2, EnvelopeKey.LastOf(id)).Execute();
        Prekeys.Remove(id);
        _closeMailbox.Bind(1, id).Execute();
        return id;
    }

    /// <summary>Writes a number that nothing else uses; another one each time, since what is there already would not be written.</summary>
    public void Probe() => _probes[_probe ^= 1].Execute();

    public void Reserve(long mailbox, long through) => _reserve.Bind(1, mailbox).Bind(2, through).Execute();

    /// <summary>Adds a row of message ids, and deletes those that hold only ids nobody asks for any more.</summary>
    public void Remember(long mailbox, long number, List<SentId> ids)
    {
        var bytes = new byte[ids.Count * SentIdSize];
        for (var i = 0; i < ids.Count; i++)
        {
            var place = bytes.AsSpan(i * SentIdSize);
            ids[i].Message.Value.TryWriteBytes(place, bigEndian: true, out _);
            BinaryPrimitives.WriteUInt64BigEndian(place[16..], ids[i].Digest);
            BinaryPrimitives.WriteInt64BigEndian(place[24..], ids[i].AcceptedAt.ToUnixTimeMilliseconds());
        }

        _remember.Bind(1, EnvelopeKey.Of(mailbox, number)).Bind(2, ids[^1].AcceptedAt.ToUnixTimeMilliseconds()).Bind(3, bytes).Execute();

        // Each row has one id at least.
        if (number > SenderHistory.Remembered)
        {
            _deleteIds.Bind(1, EnvelopeKey.FirstOf(mailbox)).Bind(2, EnvelopeKey.Of(mailbox, number - SenderHistory.Remembered)).Execute();
        }
    }

    public void Append(long mailbox, StoredEnvelope envelope, DateTimeOffset expiresAt) => _append
        .Bind(1, EnvelopeKey.Of(mailbox, envelope.Sequence))
        .Bind(2, envelope.Message.Value)
        .Bind(3, envelope.Sender.Client.Value)
        .Bind(4, envelope.Sender.Device.Value)
        .Bind(5, envelope.SenderName)
        .Bind(6, envelope.AcceptedAt.ToUnixTimeMilliseconds())
        .Bind(7, expiresAt.ToUnixTimeMilliseconds())
        .Bind(8, envelope.Body)
        .Execute();

    /// <summary>Deletes ranges of a mailbox.</summary>
    public Deleted Delete(long mailbox, MailboxRange[] ranges)
    {
        var (count, bytes) = (0, 0L);
        foreach (var (first, last) in ranges)
        {
            var (from, to) = (EnvelopeKey.Of(mailbox, first), EnvelopeKey.Of(mailbox, last));
            var found = _measure.Between(from, to);
            if (found.Count > 0)
            {
                _delete.Bind(1, from).Bind(2, to).Execute();
                (count, bytes) = (count + found.Count, bytes + found.Bytes);
            }
        }

        return new Deleted(count, bytes);
    }

    /// <summary>Deletes some of what is older than a time.</summary>
    public Deleted DeleteOld(long mailbox, long through, DateTimeOffset acceptedBefore, int limit)
    {
        var keys = new List<long>();
        var bytes = 0L;
        try
        {
            _findOld.Bind(1, EnvelopeKey.FirstOf(mailbox)).Bind(2, EnvelopeKey.Of(mailbox, through))
                .Bind(3, acceptedBefore.ToUnixTimeMilliseconds()).Bind(4, limit);
            while (_findOld.Step())
            {
                keys.Add(_findOld.Int64(0));
                bytes += _findOld.Int64(1);
            }
        }
        finally
        {
            _findOld.Reset();
        }

        foreach (var key in keys)
        {
            _delete.Bind(1, key).Bind(2, key).Execute();
        }

        return new Deleted(keys.Count, bytes);
    }

    /// <summary>Measures some of the mailboxes in which something waits.</summary>
    public (IReadOnlyList<MeasuredMailbox> Measured, bool HasMore) MeasureFrom(long after, int limit) => _measure.From(after, limit);

    /// <summary>Deletes some of what expired.</summary>
    public (IReadOnlyList<SweptEnvelopes> Swept, bool HasMore) Sweep(DateTimeOffset now, DateTimeOffset idsBefore, int limit)
    {
        var swept = new Dictionary<long, SweptEnvelopes>();
        var keys = new List<long>();
        try
        {
            _findExpired.Bind(1, now.ToUnixTimeMilliseconds()).Bind(2, limit);
            while (_findExpired.Step())
            {
                var key = _findExpired.Int64(0);
                var mailbox = EnvelopeKey.MailboxOf(key);
                var sum = swept.GetValueOrDefault(mailbox);
                swept[mailbox] = new SweptEnvelopes(mailbox, sum.Count + 1, sum.Bytes + _findExpired.Int64(1));
                keys.Add(key);
            }
        }
        finally
        {
            _findExpired.Reset();
        }

        foreach (var key in keys)
        {
            _delete.Bind(1, key).Bind(2, key).Execute();
        }

        var ids = _deleteOldIds.Bind(1, idsBefore.ToUnixTimeMilliseconds()).Bind(2, limit).Execute();
        return ([.. swept.Values], keys.Count == limit || ids == limit);
    }

    public void Dispose()
    {
        // An open transaction is rolled back with the connection.
        Prekeys.Dispose();
        _measure.Dispose();
        _statements.ForEach(static statement => statement.Dispose());
        _connection.Dispose();
    }

    /// <summary>The bytes of one message id in a row of <see cref="SentIdsRow"/>.</summary>
    internal const int SentIdSize = 32;

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

    private SqliteStatement Prepare(string sql)
    {
        var statement = new SqliteStatement(_connection, sql);
        _statements.Add(statement);
        return statement;
    }
}
