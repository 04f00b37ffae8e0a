using System.Globalization;
using KerberosMessaging.Hosting.Audit;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>
/// Settles a database that came out of a backup, before it serves: what was handed out since the backup was made is not known here, and must
/// neither be accepted nor be handed out again.
/// </summary>
internal static class RestoredData
{
    private const string Reason = "restored from a backup";

    // Far more than are given out between two backups, and far less than there are.
    private const long Skipped = 1 << 30;

    /// <summary>Does it if it is needed, in one transaction with its audit row.</summary>
    public static Task SettleAsync(AuthWriter writer) => writer.WriteAsync(
        static write =>
        {
            if (CopyMark.Read(write) is not { } madeAt)
            {
                return;
            }

            var sessions = write.Execute(
                "UPDATE Sessions SET RevokedAt = @0, RevokedReason = @1 WHERE RevokedAt IS NULL AND ExpiresAt > @0", write.Now, Reason);
            var tokens = write.Execute("UPDATE OneTimeTokens SET RevokedAt = @0 WHERE UsedAt IS NULL AND RevokedAt IS NULL", write.Now);
            SkipNumbers(write, "Devices");
            SkipNumbers(write, "Revocations");

            // All clients: of the sessions that were made since, only the message servers know.
            write.Execute(
                """
                INSERT INTO Revocations (Kind, ClientId, DeviceId, SessionId, At)
                SELECT @0, Id, zeroblob(16), zeroblob(16), @1 FROM Clients WHERE DeletedAt IS NULL
                """,
                (int)RevocationKind.Client,
                write.Now);
            CopyMark.Remove(write);
            write.Audit(new AuditEvent(
                AuditKind.Restored,
                Origin.System,
                "auth server",
                string.Create(CultureInfo.InvariantCulture, $"from a backup of {madeAt:yyyy-MM-ddTHH:mmZ}; {sessions} sessions and {tokens} one-time tokens revoked")));
        },
        CancellationToken.None);

    // Serials of certificates and positions in the revocation log were given out since, and must not be given out again.
    private static void SkipNumbers(WriteScope write, string table)
    {
        if (write.Execute("UPDATE sqlite_sequence SET seq = seq + @0 WHERE name = @1", Skipped, table) == 0)
        {
            write.Execute("INSERT INTO sqlite_sequence (name, seq) VALUES (@1, @0)", Skipped, table);
        }
    }
}
