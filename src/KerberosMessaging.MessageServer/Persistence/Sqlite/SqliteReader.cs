using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>A connection that reads mailboxes, with its statements.</summary>
internal sealed class SqliteReader : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly PreparedCommand _read;
    private readonly PreparedCommand _readNewest;
    private readonly PreparedCommand _readQueues;

    public SqliteReader(SqliteDatabase database)
    {
        _connection = database.Open("PRAGMA query_only = ON;");
        PrekeyStock = new SqlitePrekeyStock(_connection);

        // The plus keeps the index on ExpiresAt out of it: the primary key already has the mailbox in order.
        _read = new PreparedCommand(
            _connection,
            """
            SELECT Sequence, MessageId, SenderClientId, SenderDeviceId, SenderName, AcceptedAt, Body FROM Envelopes
            WHERE MailboxId = @0 AND Sequence > @1 AND +ExpiresAt > @2 ORDER BY Sequence LIMIT @3
            """,
            4);
        _readNewest = new PreparedCommand(
            _connection,
            "SELECT Sequence FROM Envelopes WHERE MailboxId = @0 AND +ExpiresAt > @1 ORDER BY Sequence DESC LIMIT 1",
            2);
        _readQueues = new PreparedCommand(
            _connection,
            """
            SELECT m.ClientName, m.ClientId, m.DeviceId,
                (SELECT COUNT(*) FROM Envelopes e WHERE e.MailboxId = m.Id),
                (SELECT COALESCE(SUM(length(e.Body)), 0) FROM Envelopes e WHERE e.MailboxId = m.Id),
                (SELECT MIN(e.AcceptedAt) FROM Envelopes e WHERE e.MailboxId = m.Id),
                m.LastSequence, m.LastSeenAt
            FROM Mailboxes m WHERE (m.ClientName, m.DeviceId) > (@0, @1)
            ORDER BY m.ClientName, m.DeviceId LIMIT @2
            """,
            3);
    }

    public SqlitePrekeyStock PrekeyStock { get; }

    public List<StoredEnvelope> Read(long mailbox, long after, long now, int maxCount, long maxBytes)
    {
        var envelopes = new List<StoredEnvelope>();
        using var rows = _read.Query(mailbox, after, now, (long)maxCount);
        for (var bytes = 0L; bytes < maxBytes && rows.Read();)
        {
            var envelope = new StoredEnvelope(
                rows.GetInt64(0),
                new MessageId(Id(rows, 1)),
                new DeviceAddress(new ClientId(Id(rows, 2)), new DeviceId(Id(rows, 3))),
                rows.GetString(4),
                Time(rows, 5),
                rows.GetFieldValue<byte[]>(6));
            envelopes.Add(envelope);
            bytes += envelope.Body.Length;
        }

        return envelopes;
    }

    public long ReadNewest(long mailbox, long now) => (long?)_readNewest.Scalar(mailbox, now) ?? 0;

    public List<QueueState> ReadQueues(QueuePosition? after, int maxCount)
    {
        // No name sorts before the empty one, and no blob before the empty one.
        var (name, device) = after is { } place ? (place.ClientName, place.Device.Value.ToByteArray(bigEndian: true)) : ("", []);
        var queues = new List<QueueState>();
        using var rows = _readQueues.Query(name, device, (long)maxCount);
        while (rows.Read())
        {
            queues.Add(new QueueState(
                rows.GetString(0),
                new DeviceAddress(new ClientId(Id(rows, 1)), new DeviceId(Id(rows, 2))),
                rows.GetInt64(3),
                rows.GetInt64(4),
                rows.IsDBNull(5) ? null : Time(rows, 5),
                rows.GetInt64(6),
                Time(rows, 7)));
        }

        return queues;
    }

    public void Dispose()
    {
        _read.Dispose();
        _readNewest.Dispose();
        PrekeyStock.Dispose();
        _readQueues.Dispose();
        _connection.Dispose();
    }

    private static Guid Id(SqliteDataReader rows, int column) => new(rows.GetFieldValue<byte[]>(column), bigEndian: true);

    private static DateTimeOffset Time(SqliteDataReader rows, int column) =>
        DateTimeOffset.FromUnixTimeMilliseconds(rows.GetInt64(column));
}
