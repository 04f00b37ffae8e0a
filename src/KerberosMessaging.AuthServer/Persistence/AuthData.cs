using System.Reflection;
using KerberosMessaging.Hosting.Backup;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Migrations;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>The auth server's data, for backups: all of it is in the database.</summary>
internal sealed class AuthData : ServerData
{
    public const string DatabaseFile = "auth.db";

    public const string Lock = "auth.lock";

    public override string Kind => "auth server";

    public override string Database => DatabaseFile;

    public override string LockFile => Lock;

    public override IReadOnlyCollection<string> Migrations { get; } =
        [.. typeof(AuthData).Assembly.GetTypes().Select(static type => type.GetCustomAttribute<MigrationAttribute>()?.Id).OfType<string>()];

    public override string Copy(string source, string copy, DateTimeOffset madeAt)
    {
        using var from = Open(source);
        using var to = Open(copy, SqliteOpenMode.ReadWriteCreate);
        from.BackupDatabase(to);
        return CopyMark.Set(to, madeAt);
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode = SqliteOpenMode.ReadWrite)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, Mode = mode }.ConnectionString);
        connection.Open();
        return connection;
    }
}
