using KerberosMessaging.MessageServer.Persistence.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>A database file, with a server or without.</summary>
internal static class SqliteFile
{
    /// <summary>Opens a store on a file, which is made when it is not there.</summary>
    public static async Task<SqliteMailboxStore> OpenAsync(string path)
    {
        if (!File.Exists(path))
        {
            await using var context = new TestContexts(path).CreateDbContext();
            await context.Database.MigrateAsync();
        }

        return new SqliteMailboxStore(new SqliteDatabase(path));
    }

    /// <summary>Takes the table of envelopes away, or brings it back: what needs it fails in between.</summary>
    public static void SetFailing(string path, bool fails)
    {
        using var other = new SqliteDatabase(path).Open();
        Execute(other, fails ? "ALTER TABLE Envelopes RENAME TO Hidden" : "ALTER TABLE Hidden RENAME TO Envelopes");
    }

    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
