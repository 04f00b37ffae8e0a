using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Client.Store;

/// <summary>What can be read and changed within one transaction of the local store.</summary>
internal sealed class StoreTransaction(SqliteConnection connection, SqliteTransaction transaction, StoreCipher cipher)
{
    public SecretBytes? GetSetting(string name)
    {
        using var command = Command("SELECT value FROM settings WHERE name = $name", ("$name", name));
        return command.ExecuteScalar() is byte[] value ? cipher.Open($"settings.{name}", [], value) : null;
    }

    public void SetSetting(string name, ReadOnlySpan<byte> value) => Execute(
        "INSERT INTO settings (name, value) VALUES ($name, $value) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        ("$name", name),
        ("$value", cipher.Seal($"settings.{name}", [], value)));

    public void RemoveSettings(string prefix) =>
        Execute("DELETE FROM settings WHERE substr(name, 1, length($prefix)) = $prefix", ("$prefix", prefix));

    public List<string> ListSettings(string prefix)
    {
        using var command = Command(
            "SELECT name FROM settings WHERE substr(name, 1, length($prefix)) = $prefix ORDER BY name", ("$prefix", prefix));
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read())
        {
            names.Add(reader.GetString(0));
        }

        return names;
    }

    /// <summary>The client pinned to a name; null for a name never met.</summary>
    public ClientId? FindContact(string name)
    {
        using var command = Command("SELECT client FROM contacts WHERE name = $name", ("$name", name));
        return command.ExecuteScalar() is byte[] client ? new ClientId(new Guid(client, bigEndian: true)) : null;
    }

    /// <summary>The name pinned to a client; null for a client never met.</summary>
    public string? FindContactName(ClientId client)
    {
        using var command = Command("SELECT name FROM contacts WHERE client = $client", ("$client", Bytes(client.Value)));
        return command.ExecuteScalar() as string;
    }

    public void AddContact(ClientId client, string name) => Execute(
        "INSERT INTO contacts (client, name) VALUES ($client, $name)", ("$client", Bytes(client.Value)), ("$name", name));

    /// <summary>The safety number that the user verified; null when none was.</summary>
    public string? GetVerified(ClientId client)
    {
        using var command = Command("SELECT verified FROM contacts WHERE client = $client", ("$client", Bytes(client.Value)));
        if (command.ExecuteScalar() is not byte[] value)
        {
            return null;
        }

        using var opened = cipher.Open("contacts.verified", Bytes(client.Value), value);
        return System.Text.Encoding.ASCII.GetString(opened.Span);
    }

    public void SetVerified(ClientId client, string safetyNumber) => Execute(
        "UPDATE contacts SET verified = $verified WHERE client = $client",
        ("$client", Bytes(client.Value)),
        ("$verified", cipher.Seal("contacts.verified", Bytes(client.Value), System.Text.Encoding.ASCII.GetBytes(safetyNumber))));

    /// <summary>The identity pinned to a device; null for a device never met.</summary>
    public PublicDeviceIdentity? FindIdentity(ClientId client, DeviceId device)
    {
        using var command = Command(
            "SELECT identity FROM devices WHERE client = $client AND device = $device",
            ("$client", Bytes(client.Value)),
            ("$device", Bytes(device.Value)));
        if (command.ExecuteScalar() is not byte[] value)
        {
            return null;
        }

        using var opened = cipher.Open("devices.identity", Row(client, device), value);
        return PublicDeviceIdentity.TryRead(opened.Span, out var identity)
            ? identity
            : throw new System.Security.Cryptography.CryptographicException("A pinned identity is damaged.");
    }

    public void AddIdentity(ClientId client, DeviceId device, PublicDeviceIdentity identity) => Execute(
        "INSERT INTO devices (client, device, identity) VALUES ($client, $device, $identity)",
        ("$client", Bytes(client.Value)),
        ("$device", Bytes(device.Value)),
        ("$identity", cipher.Seal("devices.identity", Row(client, device), identity.ToBytes())));

    /// <summary>All pinned identities of a client.</summary>
    public List<PublicDeviceIdentity> ListIdentities(ClientId client)
    {
        using var command = Command("SELECT device FROM devices WHERE client = $client", ("$client", Bytes(client.Value)));
        using var reader = command.ExecuteReader();
        var identities = new List<PublicDeviceIdentity>();
        while (reader.Read())
        {
            identities.Add(FindIdentity(client, new DeviceId(Id(reader, 0)))!);
        }

        return identities;
    }

    public PeerSessions GetSessions(ClientId client, DeviceId device)
    {
        using var command = Command(
            "SELECT sessions FROM devices WHERE client = $client AND device = $device",
            ("$client", Bytes(client.Value)),
            ("$device", Bytes(device.Value)));
        if (command.ExecuteScalar() is not byte[] value)
        {
            return PeerSessions.Create();
        }

        using var opened = cipher.Open("devices.sessions", Row(client, device), value);
        return PeerSessions.Import(opened.Span);
    }

    public void SetSessions(ClientId client, DeviceId device, PeerSessions sessions)
    {
        using var exported = sessions.Export();
        Execute(
            "UPDATE devices SET sessions = $sessions WHERE client = $client AND device = $device",
            ("$client", Bytes(client.Value)),
            ("$device", Bytes(device.Value)),
            ("$sessions", cipher.Seal("devices.sessions", Row(client, device), exported.Span)));
    }

    public bool IsInInbox(ClientId sender, MessageId message)
    {
        using var command = Command(
            "SELECT 1 FROM inbox WHERE sender = $sender AND message = $message",
            ("$sender", Bytes(sender.Value)),
            ("$message", Bytes(message.Value)));
        return command.ExecuteScalar() is not null;
    }

    public void AddToInbox(
        MessageId message,
        ClientId sender,
        DeviceId device,
        string senderName,
        DateTimeOffset acceptedAt,
        byte[]? content,
        MessageProblem problem) => Execute(
        """
        INSERT INTO inbox (message, sender, device, sender_name, accepted_at, content, problem)
        VALUES ($message, $sender, $device, $name, $accepted, $content, $problem)
        """,
        ("$message", Bytes(message.Value)),
        ("$sender", Bytes(sender.Value)),
        ("$device", Bytes(device.Value)),
        ("$name", senderName),
        ("$accepted", acceptedAt.ToUnixTimeMilliseconds()),
        ("$content", content is null ? null : cipher.Seal("inbox.content", Row(sender, message), content)),
        ("$problem", (long)problem));

    /// <summary>The oldest message that was not marked as read, after a position.</summary>
    public ReceivedMessage? NextUnread(long after)
    {
        using var command = Command(
            """
            SELECT id, message, sender, device, sender_name, accepted_at, content, problem
            FROM inbox WHERE read_at IS NULL AND id > $after ORDER BY id LIMIT 1
            """,
            ("$after", after));
        using var reader = command.ExecuteReader();
        if (!reader.Read())
        {
            return null;
        }

        var message = new MessageId(Id(reader, 1));
        var sender = new ClientId(Id(reader, 2));
        MessageContent? content = null;
        var problem = (MessageProblem)reader.GetInt64(7);
        if (!reader.IsDBNull(6))
        {
            using var opened = cipher.Open("inbox.content", Row(sender, message), reader.GetFieldValue<byte[]>(6));
            content = MessageContent.TryRead(opened.Span);

            // Kept as it is: a newer version may know the format.
            problem = content is null ? MessageProblem.Unreadable : problem;
        }

        return new ReceivedMessage
        {
            StoreId = reader.GetInt64(0),
            Id = message,
            Sender = sender,
            SenderDevice = new DeviceId(Id(reader, 3)),
            SenderName = reader.GetString(4),
            AcceptedAt = DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(5)),
            Content = content,
            Problem = problem,
        };
    }

    public void MarkRead(long id, DateTimeOffset now) => Execute(
        "UPDATE inbox SET read_at = $now WHERE id = $id", ("$id", id), ("$now", now.ToUnixTimeMilliseconds()));

    /// <summary>Keeps a message until a server took it: its content, and the very request, which a repeat must equal.</summary>
    public void PutInOutbox(MessageId message, string recipient, byte[] content, byte[] request) => Execute(
        """
        INSERT INTO outbox (message, recipient, content, request) VALUES ($message, $recipient, $content, $request)
        ON CONFLICT (message) DO UPDATE SET request = excluded.request
        """,
        ("$message", Bytes(message.Value)),
        ("$recipient", recipient),
        ("$content", cipher.Seal("outbox.content", Bytes(message.Value), content)),
        ("$request", request));

    public void RemoveFromOutbox(MessageId message) =>
        Execute("DELETE FROM outbox WHERE message = $message", ("$message", Bytes(message.Value)));

    /// <summary>Messages of earlier runs that no server is known to have taken, oldest first.</summary>
    public List<OutboxEntry> ListOutbox()
    {
        using var command = Command("SELECT message, recipient, content, request FROM outbox ORDER BY id");
        using var reader = command.ExecuteReader();
        var entries = new List<OutboxEntry>();
        while (reader.Read())
        {
            var message = Id(reader, 0);
            using var content = cipher.Open("outbox.content", Bytes(message), reader.GetFieldValue<byte[]>(2));
            entries.Add(new OutboxEntry(
                new MessageId(message), reader.GetString(1), content.Span.ToArray(), reader.GetFieldValue<byte[]>(3)));
        }

        return entries;
    }

    private static byte[] Bytes(Guid id) => id.ToByteArray(bigEndian: true);

    private static byte[] Row(ClientId client, DeviceId device) => [.. Bytes(client.Value), .. Bytes(device.Value)];

    private static byte[] Row(ClientId sender, MessageId message) => [.. Bytes(sender.Value), .. Bytes(message.Value)];

    private static Guid Id(SqliteDataReader reader, int column) => new(reader.GetFieldValue<byte[]>(column), bigEndian: true);

    private SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        LocalStore.Command(connection, transaction, sql, parameters);

    private void Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = Command(sql, parameters);
        command.ExecuteNonQuery();
    }
}

/// <summary>A message on its way.</summary>
internal sealed record OutboxEntry(MessageId Message, string Recipient, byte[] Content, byte[] Request);
