using System.Reflection;
using KerberosMessaging.Hosting.Backup;
using KerberosMessaging.MessageServer.Persistence.Blobs;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Migrations;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>The message server's data, for backups: the database and the files of complete blobs.</summary>
internal sealed class MessageData : ServerData
{
    public const string DatabaseFile = "message.db";

    public const string Lock = "message.lock";

    public const string Blobs = "blobs";

    public override string Kind => "message server";

    public override string Database => DatabaseFile;

    public override string LockFile => Lock;

    public override IReadOnlyCollection<string> Migrations { get; } =
        [.. typeof(MessageData).Assembly.GetTypes().Select(static type => type.GetCustomAttribute<MigrationAttribute>()?.Id).OfType<string>()];

    public override string Copy(string source, string copy, DateTimeOffset madeAt)
    {
        using var from = Open(source);
        using var to = Open(copy, SqliteOpenMode.ReadWriteCreate);
        from.BackupDatabase(to);
        var schema = CopyMark.Set(to, madeAt);

        // Their files still change. Whoever uploads one begins again.
        if (HasBlobs(to))
        {
            using var command = to.CreateCommand();
            command.CommandText = "DELETE FROM Blobs WHERE IsComplete = 0";
            command.ExecuteNonQuery();
        }

        return schema;
    }

    public override IEnumerable<string> FilesOf(string copy)
    {
        using var connection = Open(copy);
        if (!HasBlobs(connection))
        {
            yield break;
        }

        using var command = connection.CreateCommand();
        command.CommandText = "SELECT Id FROM Blobs ORDER BY Id";
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            yield return $"{Blobs}/{BlobStore.PathOf(new BlobId(new Guid((byte[])rows[0], bigEndian: true)))}";
        }
    }

    public override void Forget(string copy, IReadOnlyCollection<string> files)
    {
        using var connection = Open(copy);
        using var transaction = connection.BeginTransaction();
        foreach (var file in files)
        {
            using var command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = "DELETE FROM Blobs WHERE Id = $id";
            command.Parameters.AddWithValue("$id", Guid.Parse(Path.GetFileNameWithoutExtension(file)).ToByteArray(bigEndian: true));
            command.ExecuteNonQuery();
        }

        transaction.Commit();
    }

    // Databases of the first versions have none.
    private static bool HasBlobs(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'Blobs'";
        return (long)command.ExecuteScalar()! > 0;
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode = SqliteOpenMode.ReadWrite)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, Mode = mode }.ConnectionString);
        connection.Open();
        return connection;
    }
}
