using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Store;

/// <content>All that a backup holds, row after row.</content>
internal sealed partial class StoreTransaction
{
    /// <summary>All devices of all clients.</summary>
    public IEnumerable<(ClientId Client, StoredDevice Device)> AllDevices() =>
        Rows(Command("SELECT DISTINCT client FROM devices"), static reader => new ClientId(Id(reader, 0)))
            .SelectMany(client => ListDevices(client).Select(device => (client, device)));

    /// <summary>All ids of messages that were received, and when.</summary>
    public IEnumerable<(ClientId Sender, MessageId Message, DateTimeOffset ReceivedAt)> AllReceived() => Rows(
        Command("SELECT sender, message, received_at FROM received"),
        static reader => (new ClientId(Id(reader, 0)), new MessageId(Id(reader, 1)), Time(reader, 2)));

    /// <summary>The whole history, oldest first, and when each message was read.</summary>
    public IEnumerable<(NewMessage Message, DateTimeOffset? ReadAt)> AllMessages() => Rows(
        Command($"SELECT {MessageColumns} FROM messages ORDER BY id"),
        reader => ReadMessage(reader) switch { var (_, message, readAt) => (message, readAt) });

    /// <summary>All that was sent and is kept to be sent again.</summary>
    public IEnumerable<SentRecord> AllSent() => Rows(Command("SELECT message, recipient, content, sent_at FROM sent"), ReadSent);
}
