using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>Reads what there is of a device's one-time prekeys, for the writer and for readers.</summary>
internal sealed class SqlitePrekeyStock(SqliteConnection connection) : IDisposable
{
    private readonly SqliteStatement _read = new(
        connection,
        """
        SELECT (SELECT COUNT(*) FROM OneTimePrekeys k WHERE k.MailboxId = s.MailboxId AND k.Kind = s.Kind), s.NewestId, s.Misses
        FROM OneTimePrekeyStocks s WHERE s.MailboxId = ?1 AND s.Kind = ?2
        """);

    public PrekeyStock Read(long mailbox) =>
        new(Read(mailbox, OneTimePrekeyKind.X25519), Read(mailbox, OneTimePrekeyKind.MlKem768));

    public void Dispose() => _read.Dispose();

    private OneTimePrekeyStock Read(long mailbox, OneTimePrekeyKind kind)
    {
        try
        {
            return _read.Bind(1, mailbox).Bind(2, (long)kind).Step()
                ? new OneTimePrekeyStock((int)_read.Int64(0), (uint)_read.Int64(1), (ulong)_read.Int64(2))
                : default;
        }
        finally
        {
            _read.Reset();
        }
    }
}
