using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>The one connection that writes mailboxes, with its statements.</summary>
internal sealed class SqliteWriter : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly List<PreparedCommand> _commands = [];

    private readonly PreparedCommand _begin;
    private readonly PreparedCommand _commit;
    private readonly PreparedCommand _findMailboxes;
    private readonly PreparedCommand _openMailbox;
    private readonly PreparedCommand _emptyMailbox;
    private readonly PreparedCommand _closeMailbox;
    private readonly PreparedCommand _saveLastSequence;
    private readonly PreparedCommand _insertSent;
    private readonly PreparedCommand _findSent;
    private readonly PreparedCommand _insertEnvelope;
    private readonly PreparedCommand _deleteRange;
    private readonly PreparedCommand _deleteExpired;
    private readonly PreparedCommand _forgetSent;

    public SqliteWriter(SqliteDatabase database)
    {
        _connection = database.Open();
        Prekeys = new SqlitePrekeys(_connection);

        // Immediate: the lock is taken before anything is read, so what was read cannot change underneath.
        _begin = Prepare("BEGIN IMMEDIATE", 0);
        _commit = Prepare("COMMIT", 0);
        _findMailboxes = Prepare(
            """
            SELECT m.Id, m.DeviceId, m.LastSequence,
                (SELECT COUNT(*) FROM Envelopes e WHERE e.MailboxId = m.Id),
                (SELECT COALESCE(SUM(length(e.Body)), 0) FROM Envelopes e WHERE e.MailboxId = m.Id)
            FROM Mailboxes m WHERE m.ClientId = @0
            """,
            1);
        _openMailbox = Prepare(
            """
            INSERT INTO Mailboxes (ClientId, DeviceId, ClientName, LastSequence, CreatedAt, LastSeenAt)
            VALUES (@0, @1, @2, 0, @3, @3)
            ON CONFLICT (ClientId, DeviceId) DO UPDATE SET ClientName = excluded.ClientName, LastSeenAt = excluded.LastSeenAt
            RETURNING Id
            """,
            4);
        _emptyMailbox = Prepare(
            "DELETE FROM Envelopes WHERE MailboxId = (SELECT Id FROM Mailboxes WHERE ClientId = @0 AND DeviceId = @1)", 2);
        _closeMailbox = Prepare("DELETE FROM Mailboxes WHERE ClientId = @0 AND DeviceId = @1", 2);
        _saveLastSequence = Prepare("UPDATE Mailboxes SET LastSequence = @1 WHERE Id = @0", 2);
        _insertSent = Prepare(
            "INSERT INTO SentMessages (SenderClientId, MessageId, Digest, AcceptedAt) VALUES (@0, @1, @2, @3) ON CONFLICT DO NOTHING",
            4);
        _findSent = Prepare("SELECT Digest, AcceptedAt FROM SentMessages WHERE SenderClientId = @0 AND MessageId = @1", 2);
        _insertEnvelope = Prepare(
            """
            INSERT INTO Envelopes
                (MailboxId, Sequence, MessageId, SenderClientId, SenderDeviceId, SenderName, AcceptedAt, ExpiresAt, Body)
            VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8)
            """,
            9);
        _deleteRange = Prepare(
            "DELETE FROM Envelopes WHERE MailboxId = @0 AND Sequence BETWEEN @1 AND @2 RETURNING MailboxId, length(Body)", 3);
        _deleteExpired = Prepare(
            """
            DELETE FROM Envelopes WHERE (MailboxId, Sequence) IN
                (SELECT MailboxId, Sequence FROM Envelopes WHERE ExpiresAt <= @0 ORDER BY ExpiresAt LIMIT @1)
            RETURNING MailboxId, length(Body)
            """,
            2);
        _forgetSent = Prepare(
            """
            DELETE FROM SentMessages WHERE (SenderClientId, MessageId) IN
                (SELECT SenderClientId, MessageId FROM SentMessages WHERE AcceptedAt < @0 ORDER BY AcceptedAt LIMIT @1)
            """,
            2);
    }

    public SqlitePrekeys Prekeys { get; }

    public void Begin() => _begin.Execute();

    public void Commit() => _commit.Execute();

    public List<CachedMailbox> FindMailboxes(ClientId client)
    {
        var mailboxes = new List<CachedMailbox>();
        using var rows = _findMailboxes.Query(Blob(client.Value));
        while (rows.Read())
        {
            var device = new DeviceAddress(client, new DeviceId(Id(rows, 1)));
            mailboxes.Add(new CachedMailbox(rows.GetInt64(0), device, rows.GetInt64(2), rows.GetInt32(3), rows.GetInt64(4)));
        }

        return mailboxes;
    }

    public long OpenMailbox(DeviceAddress device, string clientName, long now) =>
        (long)_openMailbox.Scalar(Blob(device.Client.Value), Blob(device.Device.Value), clientName, now)!;

    /// <summary>Deletes a mailbox with all that waits in it; false where there is none.</summary>
    public bool CloseMailbox(DeviceAddress device)
    {
        Prekeys.Remove(device);
        _emptyMailbox.Execute(Blob(device.Client.Value), Blob(device.Device.Value));
        return _closeMailbox.Execute(Blob(device.Client.Value), Blob(device.Device.Value)) == 1;
    }

    public void SaveLastSequence(CachedMailbox mailbox) => _saveLastSequence.Execute(mailbox.Id, mailbox.LastSequence);

    /// <summary>Remembers a message id; false when the sender has used it before. The unique index decides.</summary>
    public bool TryInsertSent(Submission submission, long now) =>
        _insertSent.Execute(Blob(submission.Sender.Client.Value), Blob(submission.Message.Value), submission.Digest, now) == 1;

    public (byte[] Digest, long AcceptedAt)? FindSent(Submission submission)
    {
        using var rows = _findSent.Query(Blob(submission.Sender.Client.Value), Blob(submission.Message.Value));
        return rows.Read() ? (rows.GetFieldValue<byte[]>(0), rows.GetInt64(1)) : null;
    }

    public void InsertEnvelope(long mailbox, long sequence, Submission submission, byte[] body, long now, long expiresAt) =>
        _insertEnvelope.Execute(
            mailbox,
            sequence,
            Blob(submission.Message.Value),
            Blob(submission.Sender.Client.Value),
            Blob(submission.Sender.Device.Value),
            submission.SenderName,
            now,
            expiresAt,
            body);

    /// <summary>Deletes a range and tells the mailbox and length of each envelope that went.</summary>
    public int DeleteRange(long mailbox, MailboxRange range, Action<long, int> onDeleted) =>
        Delete(_deleteRange.Query(mailbox, range.First, range.Last), onDeleted);

    /// <summary>Deletes some expired envelopes and tells the mailbox and length of each.</summary>
    public int DeleteExpired(long now, int limit, Action<long, int> onDeleted) =>
        Delete(_deleteExpired.Query(now, (long)limit), onDeleted);

    public int ForgetSent(long before, int limit) => _forgetSent.Execute(before, (long)limit);

    public void Dispose()
    {
        // An open transaction is rolled back with the connection.
        Prekeys.Dispose();
        _commands.ForEach(static command => command.Dispose());
        _connection.Dispose();
    }

    private static int Delete(SqliteDataReader rows, Action<long, int> onDeleted)
    {
        using (rows)
        {
            var count = 0;
            for (; rows.Read(); count++)
            {
                onDeleted(rows.GetInt64(0), rows.GetInt32(1));
            }

            return count;
        }
    }

    private static byte[] Blob(Guid id) => id.ToByteArray(bigEndian: true);

    private static Guid Id(SqliteDataReader rows, int column) => new(rows.GetFieldValue<byte[]>(column), bigEndian: true);

    private PreparedCommand Prepare(string sql, int parameters)
    {
        var command = new PreparedCommand(_connection, sql, parameters);
        _commands.Add(command);
        return command;
    }
}
