using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>What a reader reads of mailboxes for admins: how full they are, and never what is in them.</summary>
internal sealed class SqliteQueues : IDisposable
{
    private const string Columns = "SELECT Id, ClientName, ClientId, DeviceId, LastSeenAt, PrekeyBundle IS NOT NULL, PrekeysUploadedAt FROM Mailboxes ";

    // SQLITE_CORRUPT.
    private const int Corrupt = 11;

    private readonly List<SqliteStatement> _statements = [];
    private readonly SqliteConnection _connection;
    private readonly SqlitePrekeyStock _stock;
    private readonly SqliteStatement _list;
    private readonly SqliteStatement _findMailbox;
    private readonly SqliteStatement _findClient;
    private readonly SqliteStatement _findName;
    private readonly SqliteStatement _findDevice;
    private readonly SqliteStatement _measure;
    private readonly SqliteStatement _ids;
    private readonly SqliteStatement _first;
    private readonly SqliteStatement _count;

    public SqliteQueues(SqliteConnection connection, SqlitePrekeyStock stock)
    {
        (_connection, _stock) = (connection, stock);
        _list = Prepare(Columns + "WHERE (ClientName, DeviceId) > (?1, ?2) ORDER BY ClientName, DeviceId LIMIT ?3");
        _findMailbox = Prepare(Columns + "WHERE Id = ?1 LIMIT ?2");
        _findClient = Prepare(Columns + "WHERE ClientId = ?1 ORDER BY DeviceId LIMIT ?2");
        _findName = Prepare(Columns + "WHERE ClientName = ?1 ORDER BY DeviceId LIMIT ?2");
        _findDevice = Prepare(Columns + "WHERE DeviceId = ?1 LIMIT ?2");
        _measure = Prepare(
            """
            SELECT COUNT(*), COALESCE(SUM(length(Body)), 0), MIN(AcceptedAt), MIN(Id), MAX(Id) FROM Envelopes
            WHERE Id BETWEEN ?1 AND ?2
            """);
        _ids = Prepare("SELECT Id FROM Mailboxes ORDER BY Id");
        _first = Prepare("SELECT AcceptedAt FROM Envelopes WHERE Id BETWEEN ?1 AND ?2 ORDER BY Id LIMIT 1");
        _count = Prepare("SELECT COUNT(*) FROM Mailboxes");
    }

    public IReadOnlyList<QueueState> Read(QueuePosition? after, int maxCount) => List(after, maxCount).ConvertAll(Measure);

    public IReadOnlyList<QueueState> Find(QueueFilter filter) => FindRows(filter).ConvertAll(Measure);

    public IReadOnlyList<DevicePrekeyStock> ReadPrekeys(QueuePosition? after, int maxCount) => List(after, maxCount).ConvertAll(ReadStock);

    public IReadOnlyList<DevicePrekeyStock> FindPrekeys(QueueFilter filter) => FindRows(filter).ConvertAll(ReadStock);

    // One look into each mailbox, so that a page that is broken hides no other's.
    public IReadOnlyList<(long Mailbox, DateTimeOffset AcceptedAt)> ReadOldest()
    {
        var oldest = new List<(long, DateTimeOffset)>();
        foreach (var mailbox in ReadIds())
        {
            try
            {
                if (_first.Bind(1, EnvelopeKey.FirstOf(mailbox)).Bind(2, EnvelopeKey.LastOf(mailbox)).Step())
                {
                    oldest.Add((mailbox, _first.Time(0)));
                }
            }
            catch (SqliteException e) when (e.SqliteErrorCode == Corrupt)
            {
                // Its owner's own reads are what tells the log.
            }
            finally
            {
                _first.Reset();
            }
        }

        return oldest;
    }

    public long Count()
    {
        try
        {
            _count.Step();
            return _count.Int64(0);
        }
        finally
        {
            _count.Reset();
        }
    }

    public void Dispose() => _statements.ForEach(static statement => statement.Dispose());

    // No name sorts before the empty one, and no blob before the empty one.
    private List<Row> List(QueuePosition? after, int maxCount) => ReadRows(
        (after is { } place ? _list.Bind(1, place.ClientName).Bind(2, place.Device.Value) : _list.Bind(1, "").Bind(2, [])).Bind(3, maxCount));

    private List<Row> FindRows(QueueFilter filter) => ReadRows((filter switch
    {
        { Mailbox: { } mailbox } => _findMailbox.Bind(1, mailbox),
        { Client: { } client } => _findClient.Bind(1, client.Value),
        { ClientName: { } name } => _findName.Bind(1, name),
        { Device: { } device } => _findDevice.Bind(1, device.Value),
        _ => throw new ArgumentException("The filter is empty.", nameof(filter)),
    }).Bind(2, QueueFilter.Most));

    private List<long> ReadIds()
    {
        var ids = new List<long>();
        try
        {
            while (_ids.Step())
            {
                ids.Add(_ids.Int64(0));
            }

            return ids;
        }
        finally
        {
            _ids.Reset();
        }
    }

    private static List<Row> ReadRows(SqliteStatement statement)
    {
        var rows = new List<Row>();
        try
        {
            while (statement.Step())
            {
                rows.Add(new Row(
                    statement.Int64(0),
                    statement.Text(1),
                    new DeviceAddress(new ClientId(statement.Id(2)), new DeviceId(statement.Id(3))),
                    statement.Time(4),
                    statement.Int64(5) != 0,
                    statement.IsNull(6) ? null : statement.Time(6)));
            }

            return rows;
        }
        finally
        {
            statement.Reset();
        }
    }

    private QueueState Measure(Row row)
    {
        try
        {
            _measure.Bind(1, EnvelopeKey.FirstOf(row.Mailbox)).Bind(2, EnvelopeKey.LastOf(row.Mailbox)).Step();
            var isEmpty = _measure.IsNull(2);
            return new QueueState(
                row.Mailbox,
                row.ClientName,
                row.Device,
                _measure.Int64(0),
                _measure.Int64(1),
                isEmpty ? null : _measure.Time(2),
                isEmpty ? null : EnvelopeKey.NumberOf(_measure.Int64(3)),
                isEmpty ? null : EnvelopeKey.NumberOf(_measure.Int64(4)),
                row.LastSeenAt);
        }
        finally
        {
            _measure.Reset();
        }
    }

    private DevicePrekeyStock ReadStock(Row row) =>
        new(row.ClientName, row.Device, row.HasBundle, _stock.Read(row.Mailbox), row.PrekeysUploadedAt);

    private SqliteStatement Prepare(string sql)
    {
        var statement = new SqliteStatement(_connection, sql);
        _statements.Add(statement);
        return statement;
    }

    private sealed record Row(
        long Mailbox, string ClientName, DeviceAddress Device, DateTimeOffset LastSeenAt, bool HasBundle, DateTimeOffset? PrekeysUploadedAt);
}
