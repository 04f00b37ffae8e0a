using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>Sets up the connections that EF Core opens.</summary>
internal sealed class SqlitePragmas : DbConnectionInterceptor
{
    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        using var command = connection.CreateCommand();
        command.CommandText = AuthDatabase.Pragmas;
        command.ExecuteNonQuery();
    }

    public override async Task ConnectionOpenedAsync(
        DbConnection connection,
        ConnectionEndEventData eventData,
        CancellationToken cancellationToken = default)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = AuthDatabase.Pragmas;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
