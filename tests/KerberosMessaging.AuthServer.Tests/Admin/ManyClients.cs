using System.Globalization;
using KerberosMessaging.AuthServer.Tests.Support;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.AuthServer.Tests.Admin;

/// <summary>Very many clients, written straight into the database, of which some come, go and change.</summary>
internal sealed class ManyClients : IAsyncDisposable
{
    public const int Count = 100_000;

    // Of each hundred, so many may be deleted.
    private const int Volatile = 10;

    private const string Columns =
        """
        "Id", "Name", "NameKey", "OpaqueRecord", "OpaqueKeyVersion", "StretchingAlgorithm", "StretchingIterations",
        "StretchingMemoryKiB", "PreviousKeys", "CreatedAt", "PasswordChangedAt", "LastSeenAt"
        """;

    private readonly SqliteConnection _connection;
    private int _rounds;

    private ManyClients(SqliteConnection connection) => _connection = connection;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Forty register in each second, and names are in another order.</summary>
    public static async Task<ManyClients> AddAsync(TestServer server)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = server.Folder.File("data/auth.db"), Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancel);
        var clients = new ManyClients(connection);
        await clients.ExecuteAsync(
            $"""
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {Count - 1})
            INSERT INTO "Clients" ({Columns})
            SELECT randomblob(16), printf('user%05d', i * 7919 % {Count}), printf('user%05d', i * 7919 % {Count}),
                   randomblob(192), 1, 1, 3, 65536, x'', i / 40 * 1000, 0, i * 104729 % {Count} * 10000
            FROM n
            """);
        return clients;
    }

    /// <summary>Those that stay all the time.</summary>
    public async Task<HashSet<Guid>> StableAsync()
    {
        var found = new HashSet<Guid>();
        await using var command = _connection.CreateCommand();
        command.CommandText = string.Create(CultureInfo.InvariantCulture, $"""SELECT "Id" FROM "Clients" WHERE rowid % 100 >= {Volatile}""");
        await using var rows = await command.ExecuteReaderAsync(Cancel);
        while (await rows.ReadAsync(Cancel))
        {
            found.Add(new Guid(rows.GetFieldValue<byte[]>(0), bigEndian: true));
        }

        return found;
    }

    /// <summary>Some come, some of the volatile go for good or are deleted, and others are disabled or, unless it is sorted by that, seen.</summary>
    public Task ChurnAsync(bool isSeen)
    {
        var round = _rounds++;
        return ExecuteAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9)
            INSERT INTO "Clients" ({Columns})
            SELECT randomblob(16), printf('user%05dnew%d', ({round} * 10 + i) * 6151 % {Count}, {round}), printf('user%05dnew%d', ({round} * 10 + i) * 6151 % {Count}, {round}),
                   x'', 1, 1, 3, 65536, x'', i * 250000, 0, i * 100000000
            FROM n;
            DELETE FROM "Clients" WHERE rowid IN ({round * 200 + 100}, {Count - (round * 200 % Count) + 1});
            UPDATE "Clients" SET "DeletedAt" = 1, "Name" = '', "NameKey" = 'deleted:' || "NameKey"
            WHERE rowid IN ({round * 200 + 102}, {Count - (round * 200 % Count) + 103}) AND "DeletedAt" IS NULL;
            UPDATE "Clients" SET "DisabledAt" = 1 WHERE rowid IN ({round * 190 + 50}, {Count - (round * 200 % Count) + 60});
            UPDATE "Clients" SET "LastSeenAt" = "LastSeenAt" + 7654321 WHERE {isSeen} AND rowid BETWEEN {round * 190} AND {round * 190 + 20};
            """));
    }

    /// <summary>A session that lives for each of the clients that registered last.</summary>
    public Task AddSessionsAsync(int count, DateTimeOffset now) => ExecuteAsync(string.Create(
        CultureInfo.InvariantCulture,
        $"""
        INSERT INTO "Sessions" ("Id", "ClientId", "DeviceId", "Address", "CreatedAt", "LastUsedAt", "ExpiresAt", "RenewableUntil")
        SELECT randomblob(16), "Id", randomblob(16), '192.0.2.1', rowid, rowid, {now.ToUnixTimeMilliseconds()} + rowid, {now.AddDays(1).ToUnixTimeMilliseconds()}
        FROM "Clients" WHERE rowid > {Count - count}
        """));

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task ExecuteAsync(string sql)
    {
        await using var transaction = await _connection.BeginTransactionAsync(Cancel);
        await using var command = _connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(Cancel);
        await transaction.CommitAsync(Cancel);
    }
}
