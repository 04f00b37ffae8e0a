using Microsoft.Data.Sqlite;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>Where the database is and how every connection to it is set up.</summary>
internal sealed class AuthDatabase(string path)
{
    /// <summary>
    /// A commit is on disk when it returns (write-ahead logging alone would lose the last ones in a power cut), and a lock
    /// held by another program (a backup, a look with sqlite3) is waited for a while.
    /// </summary>
    public const string Pragmas =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;";

    public string ConnectionString => Build(pooling: true);

    /// <summary>Opens a connection that its owner keeps.</summary>
    public SqliteConnection Open()
    {
        var connection = new SqliteConnection(Build(pooling: false));
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = Pragmas;
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private string Build(bool pooling) =>
        new SqliteConnectionStringBuilder { DataSource = path, Pooling = pooling }.ConnectionString;
}
