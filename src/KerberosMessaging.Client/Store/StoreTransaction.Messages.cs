using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Client.Store;

/// <content>The messages of both directions, and which were received before.</content>
internal sealed partial class StoreTransaction
{
    private const string MessagePlace = "messages.content";
    private const string MessageColumns = "id, message, peer, is_outgoing, device, accepted_at, content, problem, read_at";
    private const int SenderNameSize = sizeof(ushort);

    /// <summary>Whether a message was received before, shown or not.</summary>
    public bool IsReceived(ClientId sender, MessageId message)
    {
        using var command = Command(
            "SELECT 1 FROM received WHERE sender = $sender AND message = $message",
            ("$sender", Bytes(sender.Value)),
            ("$message", Bytes(message.Value)));
        return command.ExecuteScalar() is not null;
    }

    /// <summary>Remembers the id of a message that was received. One that is known already keeps its time.</summary>
    public void AddReceived(ClientId sender, MessageId message, DateTimeOffset now) => Execute(
        "INSERT INTO received (sender, message, received_at) VALUES ($sender, $message, $now) ON CONFLICT DO NOTHING",
        ("$sender", Bytes(sender.Value)),
        ("$message", Bytes(message.Value)),
        ("$now", now.ToUnixTimeMilliseconds()));

    /// <summary>Forgets the ids of what was received before a time.</summary>
    public void PurgeReceived(DateTimeOffset before) =>
        Execute("DELETE FROM received WHERE received_at < $before", ("$before", before.ToUnixTimeMilliseconds()));

    /// <summary>
    /// Adds a message to the history; what was sent counts as read. One that is there already stays, unless it has no content and
    /// this one has: then this takes its place, as the newest and unread.
    /// </summary>
    public void AddMessage(NewMessage message)
    {
        // A new row, with a new id: who reads along is past the old one's, and who just saw the old one must not mark this as read.
        if (message.Content is not null && HasNoContent(message))
        {
            Execute(
                "DELETE FROM messages WHERE peer = $peer AND is_outgoing = $outgoing AND message = $message",
                ("$peer", Bytes(message.Peer.Value)),
                ("$outgoing", message.IsOutgoing),
                ("$message", Bytes(message.Message.Value)));
        }

        InsertMessage(message, message.IsOutgoing ? message.AcceptedAt : null);
    }

    /// <summary>Takes back the report of a message that could not be read. A message with content stays.</summary>
    public void RemoveProblem(ClientId sender, MessageId message)
    {
        if (HasNoContent(new NewMessage(message, sender, false, default, "", default, null, default)))
        {
            Execute(
                "DELETE FROM messages WHERE peer = $peer AND is_outgoing = 0 AND message = $message",
                ("$peer", Bytes(sender.Value)),
                ("$message", Bytes(message.Value)));
        }
    }

    /// <summary>The oldest message that was not marked as read, after a position.</summary>
    public StoredMessage? NextUnread(long after) => Messages(Command(
        $"SELECT {MessageColumns} FROM messages WHERE read_at IS NULL AND id > $after ORDER BY id LIMIT 1", ("$after", after)))
        .FirstOrDefault();

    public void MarkRead(long id, DateTimeOffset now) => Execute(
        "UPDATE messages SET read_at = $now WHERE id = $id AND read_at IS NULL",
        ("$id", id),
        ("$now", now.ToUnixTimeMilliseconds()));

    /// <summary>The newest messages before a position, newest first.</summary>
    /// <param name="peer">With whom; null for all.</param>
    /// <param name="before">A message's <see cref="StoredMessage.Id"/>; null to begin with the newest.</param>
    /// <param name="limit">Most messages.</param>
    public List<StoredMessage> ListMessages(ClientId? peer, long? before, int limit) => Messages(Command(
        $"SELECT {MessageColumns} FROM messages WHERE {OfPeer(peer)} AND id < $before ORDER BY id DESC LIMIT $limit",
        ("$peer", peer is null ? null : Bytes(peer.Value.Value)),
        ("$before", before ?? long.MaxValue),
        ("$limit", limit)))
        .ToList();

    /// <summary>
    /// The newest messages whose text has another in it, newest first. Every content is opened until there are enough: an index
    /// would tell its words to whoever has the file.
    /// </summary>
    /// <param name="peer">With whom; null for all.</param>
    /// <param name="text">What is looked for, in any case and either Unicode form of an accent.</param>
    /// <param name="limit">Most messages.</param>
    public List<StoredMessage> SearchMessages(ClientId? peer, string text, int limit)
    {
        var wanted = Composed(text);
        return Messages(Command(
            $"SELECT {MessageColumns} FROM messages WHERE {OfPeer(peer)} ORDER BY id DESC",
            ("$peer", peer is null ? null : Bytes(peer.Value.Value))))
            .Where(message => message.Content?.Text is { } found
                && Composed(found).Contains(wanted, StringComparison.OrdinalIgnoreCase))
            .Take(limit)
            .ToList();
    }

    /// <summary>Adds a message as it was read or not; one that is there already stays.</summary>
    internal void InsertMessage(NewMessage message, DateTimeOffset? readAt)
    {
        using var value = Join(message.SenderName, message.Content);
        Execute(
            """
            INSERT INTO messages (message, peer, is_outgoing, device, accepted_at, content, problem, read_at)
            VALUES ($message, $peer, $outgoing, $device, $accepted, $content, $problem, $read)
            ON CONFLICT DO NOTHING
            """,
            ("$message", Bytes(message.Message.Value)),
            ("$peer", Bytes(message.Peer.Value)),
            ("$outgoing", message.IsOutgoing),
            ("$device", Bytes(message.Device.Value)),
            ("$accepted", message.AcceptedAt.ToUnixTimeMilliseconds()),
            ("$content", cipher.Seal(MessagePlace, Row(message.Peer, message.Message, message.IsOutgoing), value.Span)),
            ("$problem", (long)message.Problem),
            ("$read", readAt?.ToUnixTimeMilliseconds()));
    }

    private static string OfPeer(ClientId? peer) => peer is null ? "$peer IS NULL" : "peer = $peer";

    private static byte[] Row(ClientId peer, MessageId message, bool isOutgoing) =>
        [isOutgoing ? (byte)1 : (byte)0, .. Row(peer, message)];

    // Half a surrogate pair has no form to be brought to, and is looked for as it is.
    private static string Composed(string text)
    {
        try
        {
            return text.Normalize(NormalizationForm.FormC);
        }
        catch (ArgumentException)
        {
            return text;
        }
    }

    // sender name's length (2) || sender name || 1 || content, or 0 and nothing more where there is none
    private static SecretBytes Join(string senderName, ReadOnlySpan<byte> content, bool hasContent)
    {
        var nameSize = Encoding.UTF8.GetByteCount(senderName);
        var value = new SecretBytes(SenderNameSize + nameSize + 1 + content.Length);
        BinaryPrimitives.WriteUInt16BigEndian(value.Span, checked((ushort)nameSize));
        Encoding.UTF8.GetBytes(senderName, value.Span[SenderNameSize..]);
        value.Span[SenderNameSize + nameSize] = hasContent ? (byte)1 : (byte)0;
        content.CopyTo(value.Span[(SenderNameSize + nameSize + 1)..]);
        return value;
    }

    private static SecretBytes Join(string senderName, byte[]? content) => Join(senderName, content, content is not null);

    private bool HasNoContent(NewMessage message) => Rows(
        Command(
            $"SELECT {MessageColumns} FROM messages WHERE peer = $peer AND is_outgoing = $outgoing AND message = $message",
            ("$peer", Bytes(message.Peer.Value)),
            ("$outgoing", message.IsOutgoing),
            ("$message", Bytes(message.Message.Value))),
        reader =>
        {
            var content = ReadMessage(reader).Message.Content;
            CryptographicOperations.ZeroMemory(content);
            return content is null;
        }).FirstOrDefault();

    private IEnumerable<StoredMessage> Messages(SqliteCommand command) => Rows(command, reader =>
    {
        var (id, message, readAt) = ReadMessage(reader);
        var content = message.Content is null ? null : MessageContent.TryRead(message.Content);
        CryptographicOperations.ZeroMemory(message.Content);
        return new StoredMessage(
            id,
            message.Message,
            message.Peer,
            message.IsOutgoing,
            message.Device,
            message.SenderName,
            message.AcceptedAt,
            content,

            // Kept as it is: a newer version may know the format.
            content is null && message.Content is not null ? MessageProblem.Unreadable : message.Problem,
            readAt is not null);
    });

    private (long Id, NewMessage Message, DateTimeOffset? ReadAt) ReadMessage(SqliteDataReader reader)
    {
        var (message, peer, isOutgoing) = (new MessageId(Id(reader, 1)), new ClientId(Id(reader, 2)), Flag(reader, 3));
        using var value = cipher.Open(MessagePlace, Row(peer, message, isOutgoing), Blob(reader, 6));
        var nameSize = BinaryPrimitives.ReadUInt16BigEndian(value.Span);
        var rest = value.Span[(SenderNameSize + nameSize)..];
        var read = new NewMessage(
            message,
            peer,
            isOutgoing,
            new DeviceId(Id(reader, 4)),
            Encoding.UTF8.GetString(value.Span.Slice(SenderNameSize, nameSize)),
            Time(reader, 5),
            rest[0] == 0 ? null : rest[1..].ToArray(),
            (MessageProblem)Number(reader, 7));
        return (Number(reader, 0), read, OptionalTime(reader, 8));
    }
}

/// <summary>A message for the history.</summary>
/// <param name="Message">Its id.</param>
/// <param name="Peer">The other client of the conversation: who sent it, or whom it was sent to.</param>
/// <param name="IsOutgoing">Whether it was sent by this client.</param>
/// <param name="Device">The sending device.</param>
/// <param name="SenderName">The sender's name as certified.</param>
/// <param name="AcceptedAt">When the message server took it.</param>
/// <param name="Content">A <see cref="MessageContent"/> as bytes; null when it could not be read.</param>
/// <param name="Problem">Why it could not be read.</param>
internal sealed record NewMessage(
    MessageId Message,
    ClientId Peer,
    bool IsOutgoing,
    DeviceId Device,
    string SenderName,
    DateTimeOffset AcceptedAt,
    byte[]? Content,
    MessageProblem Problem);

/// <summary>A message of the history.</summary>
/// <param name="Id">Its position: later ones have a higher one.</param>
/// <param name="Message">Its id.</param>
/// <param name="Peer">The other client of the conversation: who sent it, or whom it was sent to.</param>
/// <param name="IsOutgoing">Whether it was sent by this client.</param>
/// <param name="Device">The sending device.</param>
/// <param name="SenderName">The sender's name as certified.</param>
/// <param name="AcceptedAt">When the message server took it.</param>
/// <param name="Content">What it says; null when there is a <paramref name="Problem"/>.</param>
/// <param name="Problem">Why it could not be read.</param>
/// <param name="IsRead">Whether it was marked as read; what was sent is.</param>
internal sealed record StoredMessage(
    long Id,
    MessageId Message,
    ClientId Peer,
    bool IsOutgoing,
    DeviceId Device,
    string SenderName,
    DateTimeOffset AcceptedAt,
    MessageContent? Content,
    MessageProblem Problem,
    bool IsRead);
