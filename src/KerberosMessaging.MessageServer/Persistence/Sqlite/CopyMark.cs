using System.Globalization;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>
/// The mark of a database that came out of a backup: SQLite's <c>user_version</c>, which is part of the file and of its transactions, holds the
/// minute that the copy was made in. The server that starts on it settles what must not go on, and takes the mark off in the same transaction.
/// </summary>
internal static class CopyMark
{
    private const long MillisecondsPerMinute = 60_000;

    /// <summary>Marks a copy. Its write-ahead log goes into it when the connection is closed.</summary>
    /// <returns>The newest migration that it has seen.</returns>
    public static string Set(SqliteConnection copy, DateTimeOffset madeAt)
    {
        var minute = madeAt.ToUnixTimeMilliseconds() / MillisecondsPerMinute;
        Execute(copy, string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {minute}"));
        return (string)Execute(copy, "SELECT MAX(MigrationId) FROM __EFMigrationsHistory")!;
    }

    /// <summary>When the copy was made that this database is; null where it is none.</summary>
    public static DateTimeOffset? Read(SqliteConnection database) => (long)Execute(database, "PRAGMA user_version")! is not 0 and var minute
        ? DateTimeOffset.FromUnixTimeMilliseconds(minute * MillisecondsPerMinute)
        : null;

    private static object? Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
