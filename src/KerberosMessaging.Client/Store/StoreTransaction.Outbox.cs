using System.Buffers.Binary;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Client.Store;

/// <content>What is on its way, and what was sent and may be asked for again.</content>
internal sealed partial class StoreTransaction
{
    private const string OutboxContentPlace = "outbox.content";
    private const string OutboxRequestPlace = "outbox.request";
    private const string SentPlace = "sent.content";
    private const int IdSize = 16;

    /// <summary>
    /// Keeps a message until a server took it: its content and, once it is encrypted, the very request, which a repeat must equal.
    /// </summary>
    public void PutInOutbox(OutboxEntry entry) => Execute(
        """
        INSERT INTO outbox (message, recipient, only_device, content, request) VALUES ($message, $recipient, $only, $content, $request)
        ON CONFLICT (message) DO UPDATE SET
            recipient = excluded.recipient, only_device = excluded.only_device, content = excluded.content, request = excluded.request
        """,
        ("$message", Bytes(entry.Message.Value)),
        ("$recipient", Bytes(entry.Recipient.Value)),
        ("$only", entry.Only is { } only ? Bytes(only.Value) : null),
        ("$content", cipher.Seal(OutboxContentPlace, Row(entry.Recipient, entry.Message), entry.Content)),

        // Its certificates have names in them.
        ("$request", entry.Request is null ? null : cipher.Seal(OutboxRequestPlace, Row(entry.Recipient, entry.Message), entry.Request)));

    public void RemoveFromOutbox(MessageId message) =>
        Execute("DELETE FROM outbox WHERE message = $message", ("$message", Bytes(message.Value)));

    /// <summary>Whether a message was not yet answered by a server.</summary>
    public bool IsInOutbox(MessageId message)
    {
        using var command = Command("SELECT 1 FROM outbox WHERE message = $message", ("$message", Bytes(message.Value)));
        return command.ExecuteScalar() is not null;
    }

    /// <summary>Messages that no server is known to have taken, oldest first.</summary>
    public List<OutboxEntry> ListOutbox() => Rows(
        Command("SELECT message, recipient, content, request, only_device FROM outbox ORDER BY id"),
        reader =>
        {
            var (message, recipient) = (new MessageId(Id(reader, 0)), new ClientId(Id(reader, 1)));
            using var content = cipher.Open(OutboxContentPlace, Row(recipient, message), Blob(reader, 2));
            using var request = reader.IsDBNull(3) ? null : cipher.Open(OutboxRequestPlace, Row(recipient, message), Blob(reader, 3));
            DeviceId? only = reader.IsDBNull(4) ? null : new DeviceId(Id(reader, 4));
            return new OutboxEntry(message, recipient, only, content.Span.ToArray(), request?.Span.ToArray());
        }).ToList();

    /// <summary>Keeps what was sent, so that it can be sent again to a device that cannot read it. A later record replaces it.</summary>
    public void AddSent(SentRecord record)
    {
        // count of devices (2) || device ids (16 each) || content
        using var value = new SecretBytes(sizeof(ushort) + (record.Devices.Count * IdSize) + record.Content.Length);
        BinaryPrimitives.WriteUInt16BigEndian(value.Span, checked((ushort)record.Devices.Count));
        var rest = value.Span[sizeof(ushort)..];
        foreach (var device in record.Devices)
        {
            Bytes(device.Value).CopyTo(rest);
            rest = rest[IdSize..];
        }

        record.Content.CopyTo(rest);
        Execute(
            """
            INSERT INTO sent (message, recipient, content, sent_at) VALUES ($message, $recipient, $content, $sent)
            ON CONFLICT (message) DO UPDATE SET
                recipient = excluded.recipient, content = excluded.content, sent_at = excluded.sent_at
            """,
            ("$message", Bytes(record.Message.Value)),
            ("$recipient", Bytes(record.Recipient.Value)),
            ("$content", cipher.Seal(SentPlace, Row(record.Recipient, record.Message), value.Span)),
            ("$sent", record.SentAt.ToUnixTimeMilliseconds()));
    }

    /// <summary>What was sent under an id; null where nothing was, or it is too long ago.</summary>
    public SentRecord? FindSent(MessageId message) => Rows(
        Command("SELECT message, recipient, content, sent_at FROM sent WHERE message = $message", ("$message", Bytes(message.Value))),
        ReadSent).FirstOrDefault();

    /// <summary>Forgets what was sent before a time.</summary>
    public void PurgeSent(DateTimeOffset before) =>
        Execute("DELETE FROM sent WHERE sent_at < $before", ("$before", before.ToUnixTimeMilliseconds()));

    private SentRecord ReadSent(SqliteDataReader reader)
    {
        var (message, recipient) = (new MessageId(Id(reader, 0)), new ClientId(Id(reader, 1)));
        using var value = cipher.Open(SentPlace, Row(recipient, message), Blob(reader, 2));
        var devices = new DeviceId[BinaryPrimitives.ReadUInt16BigEndian(value.Span)];
        var rest = value.Span[sizeof(ushort)..];
        for (var i = 0; i < devices.Length; i++)
        {
            devices[i] = new DeviceId(new Guid(rest[..IdSize], bigEndian: true));
            rest = rest[IdSize..];
        }

        return new SentRecord(message, recipient, rest.ToArray(), devices, Time(reader, 3));
    }
}

/// <summary>A message on its way.</summary>
/// <param name="Message">Its id.</param>
/// <param name="Recipient">Whom it is for.</param>
/// <param name="Only">The one device that it is for; null where it is for all that are accepted.</param>
/// <param name="Content">What is encrypted.</param>
/// <param name="Request">The request, encrypted; null where it is yet to be made.</param>
internal sealed record OutboxEntry(MessageId Message, ClientId Recipient, DeviceId? Only, byte[] Content, byte[]? Request);

/// <summary>A message that was sent.</summary>
/// <param name="Message">Its id.</param>
/// <param name="Recipient">Whom it was for.</param>
/// <param name="Content">What was encrypted.</param>
/// <param name="Devices">The devices that it was encrypted to, at most 65,535.</param>
/// <param name="SentAt">When it was sent.</param>
internal sealed record SentRecord(
    MessageId Message, ClientId Recipient, byte[] Content, IReadOnlyList<DeviceId> Devices, DateTimeOffset SentAt);
