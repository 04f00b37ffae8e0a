using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Hosting.Audit;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>
/// What a piece of work writes with: EF Core for what is rare, prepared statements for what every login does. Valid only
/// while the work runs.
/// </summary>
internal sealed class WriteScope : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly PreparedCommands _commands;
    private readonly AuditChain _chain;
    private readonly TimeProvider _time;
    private readonly AuthMetrics _metrics;
    private List<Action> _afterCommit = [];
    private AuditTail _tail;
    private AuditTail _tailBeforeItem;
    private AuditTail _committedTail;

    public WriteScope(SqliteConnection connection, AuditChain chain, TimeProvider time, ILoggerFactory loggers, AuthMetrics metrics)
    {
        _metrics = metrics;
        _connection = connection;
        _commands = new PreparedCommands(connection);
        _chain = chain;
        _time = time;
        Database = new AuthDbContext(
            new DbContextOptionsBuilder<AuthDbContext>().UseSqlite(connection).UseLoggerFactory(loggers).Options);

        // The transaction is the writer's, around everything that runs.
        Database.Database.AutoTransactionBehavior = AutoTransactionBehavior.Never;
        Database.Database.AutoSavepointsEnabled = false;
        _tail = _committedTail = ReadTail();
    }

    public AuthDbContext Database { get; }

    /// <summary>The time of this piece of work, to the millisecond as it is stored and sent.</summary>
    public DateTimeOffset Now { get; private set; }

    /// <inheritdoc cref="PreparedCommands.Execute"/>
    public int Execute(string sql, params ReadOnlySpan<object?> values) => _commands.Execute(sql, values);

    /// <inheritdoc cref="PreparedCommands.Scalar"/>
    public object? Scalar(string sql, params ReadOnlySpan<object?> values) => _commands.Scalar(sql, values);

    /// <inheritdoc cref="PreparedCommands.Query"/>
    public SqliteDataReader Query(string sql, params ReadOnlySpan<object?> values) => _commands.Query(sql, values);

    /// <summary>Adds a row to the audit log: it is committed with the work, or neither is.</summary>
    public void Audit(AuditEvent happened)
    {
        var row = new AuditRow
        {
            Sequence = _tail.Sequence + 1,
            At = Now,
            Kind = happened.Kind,
            Result = happened.Result,
            Actor = happened.Origin.Actor,
            Address = happened.Origin.Address,
            Target = happened.Target,
            Detail = happened.Detail,
            Correlation = happened.Origin.Correlation,
            Hash = [],
        };
        var hash = _chain.Hash(_tail.Hash, row);
        _commands.Execute(
            """
            INSERT INTO "AuditEvents" ("Sequence", "At", "Kind", "Result", "Actor", "Address", "Target", "Detail", "Correlation", "Hash")
            VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, @9)
            """,
            row.Sequence, row.At, (int)row.Kind, (int)row.Result, row.Actor, row.Address, row.Target, row.Detail, row.Correlation, hash);
        _tail = new AuditTail(row.Sequence, hash);
        AfterCommit(() => _metrics.Audited(happened));
    }

    /// <summary>Does something in memory once the work is on disk, before its caller goes on. Must not throw.</summary>
    public void AfterCommit(Action action) => _afterCommit.Add(action);

    internal void Begin() => _commands.Execute("BEGIN IMMEDIATE");

    internal void BeginItem(bool isAlone)
    {
        Now = DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());
        _tailBeforeItem = _tail;
        _afterCommit = [];
        if (!isAlone)
        {
            _commands.Execute("SAVEPOINT item");
        }
    }

    internal List<Action> EndItem(bool isAlone)
    {
        Database.ChangeTracker.Clear();
        if (!isAlone)
        {
            _commands.Execute("RELEASE item");
        }

        return _afterCommit;
    }

    internal void UndoItem(bool isAlone)
    {
        Database.ChangeTracker.Clear();
        _tail = _tailBeforeItem;
        if (!isAlone)
        {
            _commands.Execute("ROLLBACK TO item");
            _commands.Execute("RELEASE item");
        }
    }

    internal void Commit()
    {
        if (_tail != _committedTail)
        {
            _commands.Execute(
                """INSERT INTO "AuditHeads" ("Id", "Sequence", "Mac") VALUES (1, @0, @1) ON CONFLICT ("Id") DO UPDATE SET "Sequence" = @0, "Mac" = @1""",
                _tail.Sequence,
                _chain.HeadMac(_tail.Sequence, _tail.Hash));
        }

        _commands.Execute("COMMIT");
        _committedTail = _tail;
    }

    internal void Rollback()
    {
        Database.ChangeTracker.Clear();
        _tail = _committedTail;
        try
        {
            _commands.Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // The failure ended the transaction by itself, or there was none yet: nothing is left to undo.
        }
    }

    public void Dispose()
    {
        Database.Dispose();
        _commands.Dispose();
        _connection.Dispose();
    }

    // An end that is not the one that was committed last (rows were cut off while the server was away) must not be covered up
    // by going on from it: the numbers go on behind a gap, which every later check finds.
    private AuditTail ReadTail()
    {
        var tail = new AuditTail(0, AuditChain.Start);
        using (var row = _commands.Query("""SELECT "Sequence", "Hash" FROM "AuditEvents" ORDER BY "Sequence" DESC LIMIT 1"""))
        {
            if (row.Read())
            {
                tail = new AuditTail(row.GetInt64(0), row.GetFieldValue<byte[]>(1));
            }
        }

        using var head = _commands.Query("""SELECT "Sequence", "Mac" FROM "AuditHeads" WHERE "Id" = 1""");
        var (end, mac) = head.Read() ? (head.GetInt64(0), head.GetFieldValue<byte[]>(1)) : (0, []);
        var isWhole = end == tail.Sequence && (end == 0 || mac.AsSpan().SequenceEqual(_chain.HeadMac(end, tail.Hash)));
        return isWhole ? tail : tail with { Sequence = Math.Max(end, tail.Sequence) + 1 };
    }

    private readonly record struct AuditTail(long Sequence, byte[] Hash);
}
