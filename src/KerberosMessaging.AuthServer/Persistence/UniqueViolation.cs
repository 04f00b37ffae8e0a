using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>The one place that knows how the database reports a broken unique index.</summary>
internal static class UniqueViolation
{
    // SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_PRIMARYKEY, https://sqlite.org/rescode.html
    private const int Unique = 2067;
    private const int PrimaryKey = 1555;

    public static bool Is(DbUpdateException exception) =>
        exception.InnerException is SqliteException { SqliteExtendedErrorCode: Unique or PrimaryKey };
}
