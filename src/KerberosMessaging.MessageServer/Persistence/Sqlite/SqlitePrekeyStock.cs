using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>Reads what there is of a device's one-time prekeys, for the writer and for readers.</summary>
internal sealed class SqlitePrekeyStock(SqliteConnection connection) : IDisposable
{
    private readonly PreparedCommand _read = new(
        connection,
        """
        SELECT (SELECT COUNT(*) FROM OneTimePrekeys k WHERE k.MailboxId = s.MailboxId AND k.Kind = s.Kind), s.NewestId, s.Misses
        FROM OneTimePrekeyStocks s WHERE s.MailboxId = @0 AND s.Kind = @1
        """,
        2);

    public PrekeyStock Read(long mailbox) =>
        new(Read(mailbox, OneTimePrekeyKind.X25519), Read(mailbox, OneTimePrekeyKind.MlKem768));

    public void Dispose() => _read.Dispose();

    private OneTimePrekeyStock Read(long mailbox, OneTimePrekeyKind kind)
    {
        using var rows = _read.Query(mailbox, kind);
        return rows.Read()
            ? new OneTimePrekeyStock(rows.GetInt32(0), rows.GetFieldValue<uint>(1), (ulong)rows.GetInt64(2))
            : default;
    }
}
