using System.Globalization;
using KerberosMessaging.Hosting.Audit;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>
/// Settles a database that came out of a backup, before it serves: numbers and one-time prekeys that were given out since the backup was made are
/// not known here, and must not be given out again.
/// </summary>
internal static class RestoredData
{
    /// <summary>Does it if it is needed.</summary>
    public static async Task SettleAsync(IServiceProvider services)
    {
        using var connection = services.GetRequiredService<SqliteDatabase>().Open();
        if (CopyMark.Read(connection) is not { } madeAt)
        {
            return;
        }

        // Before it is done: if it is broken off now, the next start does it, and says so again.
        var detail = string.Create(CultureInfo.InvariantCulture, $"from a backup of {madeAt:yyyy-MM-ddTHH:mmZ}; one-time prekeys dropped");
        await services.GetRequiredService<IAuditWriter>()
            .WriteAsync(new AuditEvent(AuditKind.Restored, Origin.System, "message server", detail), CancellationToken.None);

        // A billion numbers of each mailbox are skipped, of the 2^40 that there are. Devices upload one-time prekeys when they come.
        using var command = connection.CreateCommand();
        command.CommandText =
            """
            BEGIN IMMEDIATE;
            UPDATE Mailboxes SET ReservedThrough = ReservedThrough + 1073741824;
            DELETE FROM OneTimePrekeys;
            PRAGMA user_version = 0;
            COMMIT;
            """;
        command.ExecuteNonQuery();
    }
}
