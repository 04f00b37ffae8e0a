using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Client.Store;

/// <summary>A store that nobody has a key to any more, set aside rather than deleted: what is in it may be all there is.</summary>
internal static class FormerStore
{
    // What SQLite says of a file that is none of its own.
    private const int NotADatabase = 26;

    /// <summary>Makes the store one file without a journal. It fails while another client has it open, whose next write would be lost.</summary>
    /// <exception cref="MessagingException">The store is in use or cannot be written.</exception>
    public static void Settle(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        var text = new SqliteConnectionStringBuilder
        {
            DataSource = Path.GetFullPath(path),
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = 1,
        }.ToString();
        try
        {
            using var connection = new SqliteConnection(text);
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA journal_mode = DELETE";
            command.ExecuteNonQuery();
        }
        catch (SqliteException e) when (e.SqliteErrorCode == NotADatabase)
        {
            // Nothing to settle; it is set aside like any other.
        }
        catch (SqliteException e)
        {
            throw new MessagingException(
                MessagingFailure.StoreUnusable, $"the local store '{path}' is in use: end the program that has it open first", e);
        }
    }

    /// <summary>Renames the store, and what a crash left beside it. Null where there is none.</summary>
    /// <returns>Its new path.</returns>
    public static string? SetAside(string path, DateTimeOffset now)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        var aside = $"{path}.before-reset-{now.UtcDateTime:yyyyMMdd'T'HHmmss}";
        File.Move(path, aside);
        foreach (var suffix in (string[])["-wal", "-shm", "-journal"])
        {
            if (File.Exists(path + suffix))
            {
                File.Move(path + suffix, aside + suffix);
            }
        }

        return aside;
    }
}
