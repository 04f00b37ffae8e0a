using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>Sets up the connections that EF Core opens.</summary>
internal sealed class PragmaInterceptor : DbConnectionInterceptor
{
    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        using var command = connection.CreateCommand();
        command.CommandText = SqliteDatabase.Pragmas;
        command.ExecuteNonQuery();
    }

    // SQLite has no asynchronous calls.
    public override Task ConnectionOpenedAsync(
        DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        ConnectionOpened(connection, eventData);
        return Task.CompletedTask;
    }
}
