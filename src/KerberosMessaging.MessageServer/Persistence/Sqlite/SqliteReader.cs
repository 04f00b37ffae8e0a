using System.Buffers.Binary;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>A connection that reads mailboxes, with its statements.</summary>
internal sealed class SqliteReader : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly List<SqliteStatement> _statements = [];
    private readonly SqliteStatement _find;
    private readonly SqliteStatement _readSent;
    private readonly SqliteStatement _read;
    private readonly SqliteStatement _readNewest;
    private readonly SqliteStatement _readSize;
    private SqliteQueues? _queues;

    public SqliteReader(SqliteDatabase database)
    {
        _connection = database.Open("PRAGMA query_only = ON;");
        PrekeyStock = new SqlitePrekeyStock(_connection);
        Measure = new SqliteMeasure(_connection);
        _find = Prepare("SELECT Id, DeviceId, ReservedThrough FROM Mailboxes WHERE ClientId = ?1");
        _readSent = Prepare("SELECT Id, Ids FROM SentIds WHERE Id BETWEEN ?1 AND ?2 ORDER BY Id DESC");

        // The plus keeps the index on ExpiresAt out of it: the key already has the mailbox in order.
        _read = Prepare(
            """
            SELECT Id, MessageId, SenderClientId, SenderDeviceId, SenderName, AcceptedAt, Body FROM Envelopes
            WHERE Id > ?1 AND Id <= ?2 AND +ExpiresAt > ?3 ORDER BY Id LIMIT ?4
            """);
        _readNewest = Prepare(
            "SELECT Id FROM Envelopes WHERE Id BETWEEN ?1 AND ?2 AND +ExpiresAt > ?3 ORDER BY Id DESC LIMIT 1");
        _readSize = Prepare(
            """
            SELECT (page_count - freelist_count) * page_size
            FROM pragma_page_count, pragma_freelist_count, pragma_page_size
            """);
    }

    public SqlitePrekeyStock PrekeyStock { get; }

    public SqliteMeasure Measure { get; }

    /// <summary>What it reads for admins; most readers never do.</summary>
    public SqliteQueues Queues => _queues ??= new SqliteQueues(_connection, PrekeyStock);

    public IReadOnlyList<MailboxState> Find(ClientId client)
    {
        var mailboxes = new List<MailboxState>();
        using (Run(_find.Bind(1, client.Value)))
        {
            while (_find.Step())
            {
                mailboxes.Add(new MailboxState(
                    _find.Int64(0), new DeviceAddress(client, new DeviceId(_find.Id(1))), _find.Int64(2), 0, 0));
            }
        }

        return mailboxes.ConvertAll(mailbox =>
        {
            var (count, bytes) = Measure.Between(EnvelopeKey.FirstOf(mailbox.Id), EnvelopeKey.LastOf(mailbox.Id));
            return mailbox with { Count = count, Bytes = bytes };
        });
    }

    public (long LastNumber, IReadOnlyList<SentId> Ids) ReadSent(long mailbox)
    {
        var lastNumber = 0L;
        var ids = new List<SentId>();
        using (Run(_readSent.Bind(1, EnvelopeKey.FirstOf(mailbox)).Bind(2, EnvelopeKey.LastOf(mailbox))))
        {
            while (ids.Count < SenderHistory.Remembered && _readSent.Step())
            {
                lastNumber = Math.Max(lastNumber, EnvelopeKey.NumberOf(_readSent.Int64(0)));
                var row = _readSent.Blob(1);
                for (var end = row.Length; end > 0; end -= SqliteWriter.SentIdSize)
                {
                    var place = row[(end - SqliteWriter.SentIdSize)..end];
                    ids.Add(new SentId(
                        new MessageId(new Guid(place[..16], bigEndian: true)),
                        BinaryPrimitives.ReadUInt64BigEndian(place[16..]),
                        DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(place[24..]))));
                }
            }
        }

        ids.Reverse();
        return (lastNumber, ids);
    }

    public IReadOnlyList<StoredEnvelope> Read(long mailbox, long after, DateTimeOffset now, int maxCount, long maxBytes)
    {
        var envelopes = new List<StoredEnvelope>();
        _read.Bind(1, EnvelopeKey.Of(mailbox, after)).Bind(2, EnvelopeKey.LastOf(mailbox))
            .Bind(3, now.ToUnixTimeMilliseconds()).Bind(4, maxCount);
        using (Run(_read))
        {
            for (var bytes = 0L; bytes < maxBytes && _read.Step();)
            {
                var envelope = new StoredEnvelope(
                    EnvelopeKey.NumberOf(_read.Int64(0)),
                    new MessageId(_read.Id(1)),
                    new DeviceAddress(new ClientId(_read.Id(2)), new DeviceId(_read.Id(3))),
                    _read.Text(4),
                    _read.Time(5),
                    _read.Blob(6).ToArray());
                envelopes.Add(envelope);
                bytes += envelope.Body.Length;
            }
        }

        return envelopes;
    }

    public long ReadNewest(long mailbox, DateTimeOffset now)
    {
        _readNewest.Bind(1, EnvelopeKey.FirstOf(mailbox)).Bind(2, EnvelopeKey.LastOf(mailbox)).Bind(3, now.ToUnixTimeMilliseconds());
        using (Run(_readNewest))
        {
            return _readNewest.Step() ? EnvelopeKey.NumberOf(_readNewest.Int64(0)) : 0;
        }
    }

    public long ReadSize()
    {
        using (Run(_readSize))
        {
            _readSize.Step();
            return _readSize.Int64(0);
        }
    }

    public void Dispose()
    {
        _queues?.Dispose();
        PrekeyStock.Dispose();
        Measure.Dispose();
        _statements.ForEach(static statement => statement.Dispose());
        _connection.Dispose();
    }

    private static StatementRun Run(SqliteStatement statement) => new(statement);

    private SqliteStatement Prepare(string sql)
    {
        var statement = new SqliteStatement(_connection, sql);
        _statements.Add(statement);
        return statement;
    }

    /// <summary>Ends a run, so that the snapshot it reads from is given up.</summary>
    private readonly ref struct StatementRun(SqliteStatement statement)
    {
        public void Dispose() => statement.Reset();
    }
}
