using System.Collections.Concurrent;
using KerberosMessaging.Cryptography;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>What the login needs to know of a client.</summary>
internal sealed record LoginClient(
    Guid Id,
    string Name,
    byte[] OpaqueRecord,
    uint OpaqueKeyVersion,
    StretchingParameters Stretching,
    byte[] PreviousKeys,
    bool IsDisabled);

/// <summary>What a ticket's verification needs to know of its session.</summary>
internal sealed record TicketSession(
    Guid Id,
    Guid ClientId,
    Guid DeviceId,
    DateTimeOffset CreatedAt,
    DateTimeOffset LastUsedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset RenewableUntil,
    DateTimeOffset? RevokedAt);

/// <summary>
/// The look-ups of every login and ticket, as statements that stay prepared: through EF Core each would cost more than the
/// cryptography around it. Reading never waits for the writer.
/// </summary>
internal sealed class AuthReader(AuthDatabase database) : IDisposable
{
    private readonly ConcurrentBag<ReadConnection> _idle = [];

    public LoginClient? FindClient(string nameKey) => Read(nameKey, static (commands, key) =>
    {
        using var row = commands.Query(
            """
            SELECT "Id", "Name", "OpaqueRecord", "OpaqueKeyVersion", "StretchingAlgorithm", "StretchingIterations",
                   "StretchingMemoryKiB", "PreviousKeys", "DisabledAt"
            FROM "Clients" WHERE "NameKey" = @0 AND "DeletedAt" IS NULL
            """,
            key);
        return row.Read()
            ? new LoginClient(
                row.GetId(0),
                row.GetString(1),
                row.GetFieldValue<byte[]>(2),
                (uint)row.GetInt64(3),
                new StretchingParameters((StretchingAlgorithm)row.GetInt32(4), (uint)row.GetInt64(5), (uint)row.GetInt64(6)),
                row.GetFieldValue<byte[]>(7),
                !row.IsDBNull(8))
            : null;
    });

    public TicketSession? FindSession(Guid session) => Read(session, static (commands, id) =>
    {
        using var row = commands.Query(
            """
            SELECT "ClientId", "DeviceId", "CreatedAt", "LastUsedAt", "ExpiresAt", "RenewableUntil", "RevokedAt"
            FROM "Sessions" WHERE "Id" = @0
            """,
            id);
        return row.Read()
            ? new TicketSession(
                id, row.GetId(0), row.GetId(1), row.GetTime(2), row.GetTime(3), row.GetTime(4), row.GetTime(5), row.GetTimeOrNull(6))
            : null;
    });

    /// <summary>The addresses that a client has logged in from, as long as their sessions are kept.</summary>
    public List<string> FindLoginAddresses(Guid client) => Read(client, static (commands, id) =>
    {
        var found = new List<string>();
        using var row = commands.Query("""SELECT DISTINCT "Address" FROM "Sessions" WHERE "ClientId" = @0""", id);
        while (row.Read())
        {
            found.Add(row.GetString(0));
        }

        return found;
    });

    /// <summary>Entries of the revocation log after a position, oldest first.</summary>
    public List<RevocationRow> FindRevocations(long after, int limit) => Read((after, limit), static (commands, wanted) =>
    {
        var found = new List<RevocationRow>();
        using var row = commands.Query(
            """
            SELECT "Position", "Kind", "ClientId", "DeviceId", "SessionId", "At" FROM "Revocations"
            WHERE "Position" > @0 ORDER BY "Position" LIMIT @1
            """,
            wanted.after,
            wanted.limit);
        while (row.Read())
        {
            found.Add(new RevocationRow
            {
                Position = row.GetInt64(0),
                Kind = (RevocationKind)row.GetInt32(1),
                ClientId = row.GetId(2),
                DeviceId = row.GetId(3),
                SessionId = row.GetId(4),
                At = row.GetTime(5),
            });
        }

        return found;
    });

    /// <summary>The newest position of the revocation log ever given; 0 for none.</summary>
    public long NewestRevocation() => Read(0, static (commands, _) =>
        (long?)commands.Scalar("""SELECT "seq" FROM "sqlite_sequence" WHERE "name" = 'Revocations'""") ?? 0);

    public void Dispose()
    {
        while (_idle.TryTake(out var connection))
        {
            connection.Dispose();
        }
    }

    private T Read<TKey, T>(TKey key, Func<PreparedCommands, TKey, T> read)
    {
        if (!_idle.TryTake(out var connection))
        {
            connection = new ReadConnection(database.Open());
        }

        try
        {
            return read(connection.Commands, key);
        }
        finally
        {
            // A statement that failed can be run again; a connection that is broken fails the next reader too, and is told.
            _idle.Add(connection);
        }
    }

    private sealed class ReadConnection(SqliteConnection connection) : IDisposable
    {
        public PreparedCommands Commands { get; } = new(connection);

        public void Dispose()
        {
            Commands.Dispose();
            connection.Dispose();
        }
    }
}
