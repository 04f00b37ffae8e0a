using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>Where the database is and how every connection to it is set up.</summary>
internal sealed class SqliteDatabase(string path)
{
    /// <summary>
    /// Set on each connection: a commit is on disk when it returns (WAL alone would lose the last ones in a power cut),
    /// and a lock held by another program (a backup, a look with sqlite3) is waited for a while.
    /// </summary>
    public const string Pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000;";

    private const int CommandTimeoutSeconds = 5;

    public string Path => path;

    /// <summary>For EF Core, which pools its few connections.</summary>
    public string ConnectionString => Build(pooling: true).ConnectionString;

    /// <summary>Opens a connection that its owner keeps.</summary>
    /// <param name="setup">More pragmas.</param>
    public SqliteConnection Open(string setup = "")
    {
        var connection = new SqliteConnection(Build(pooling: false).ConnectionString);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = Pragmas + setup;
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private SqliteConnectionStringBuilder Build(bool pooling) => new()
    {
        DataSource = path,
        Pooling = pooling,
        DefaultTimeout = CommandTimeoutSeconds,
    };
}
