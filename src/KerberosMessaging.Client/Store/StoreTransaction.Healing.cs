using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Store;

/// <content>What is to be repaired between devices: what to ask for, what was asked for, and who waits for an answer.</content>
internal sealed partial class StoreTransaction
{
    private const int MaxResends = 256;

    /// <summary>Remembers a message that could not be read. One that is known already stays as it is.</summary>
    public void AddUnreadable(ClientId sender, DeviceId device, MessageId message, DateTimeOffset now) => Execute(
        """
        INSERT INTO unreadable (sender, message, device, since) VALUES ($sender, $message, $device, $now) ON CONFLICT DO NOTHING
        """,
        ("$sender", Bytes(sender.Value)),
        ("$message", Bytes(message.Value)),
        ("$device", Bytes(device.Value)),
        ("$now", now.ToUnixTimeMilliseconds()));

    /// <returns>Whether it was there.</returns>
    public bool RemoveUnreadable(ClientId sender, DeviceId device, MessageId message) => Execute(
        "DELETE FROM unreadable WHERE sender = $sender AND device = $device AND message = $message",
        ("$sender", Bytes(sender.Value)),
        ("$device", Bytes(device.Value)),
        ("$message", Bytes(message.Value))) > 0;

    /// <summary>Messages that could not be read, oldest first.</summary>
    public List<UnreadableMessage> ListUnreadable() => Rows(
        Command("SELECT sender, device, message, since, asked FROM unreadable ORDER BY id"),
        static reader => new UnreadableMessage(
            new ClientId(Id(reader, 0)),
            new DeviceId(Id(reader, 1)),
            new MessageId(Id(reader, 2)),
            Time(reader, 3),
            Number(reader, 4) is >= 0 and <= int.MaxValue and var asked ? (int)asked : throw Damaged())).ToList();

    /// <summary>Counts that messages were asked for.</summary>
    public void CountAsked(ClientId sender, IEnumerable<MessageId> messages)
    {
        foreach (var message in messages)
        {
            Execute(
                "UPDATE unreadable SET asked = asked + 1 WHERE sender = $sender AND message = $message",
                ("$sender", Bytes(sender.Value)),
                ("$message", Bytes(message.Value)));
        }
    }

    /// <summary>Gives up what could not be read before a time.</summary>
    public void PurgeUnreadable(DateTimeOffset before) =>
        Execute("DELETE FROM unreadable WHERE since < $before", ("$before", before.ToUnixTimeMilliseconds()));

    /// <summary>Remembers that a device asked for a message anew; no more of one device than it may ask for at once.</summary>
    public void AddResend(ClientId client, DeviceId device, MessageId message) => Execute(
        $"""
        INSERT INTO resends (client, device, message) SELECT $client, $device, $message
        WHERE (SELECT count(*) FROM resends WHERE client = $client AND device = $device) < {MaxResends}
        ON CONFLICT DO NOTHING
        """,
        ("$client", Bytes(client.Value)),
        ("$device", Bytes(device.Value)),
        ("$message", Bytes(message.Value)));

    /// <summary>What devices asked for, in the order of asking.</summary>
    public List<ResendTask> ListResends() => Rows(
        Command("SELECT client, device, message FROM resends ORDER BY id"),
        static reader => new ResendTask(
            new ClientId(Id(reader, 0)), new DeviceId(Id(reader, 1)), new MessageId(Id(reader, 2)))).ToList();

    public void RemoveResend(ClientId client, DeviceId device, MessageId message) => Execute(
        "DELETE FROM resends WHERE client = $client AND device = $device AND message = $message",
        ("$client", Bytes(client.Value)),
        ("$device", Bytes(device.Value)),
        ("$message", Bytes(message.Value)));

    /// <summary>When a device was last asked for a new session; null when it never was.</summary>
    public DateTimeOffset? GetAskedAt(ClientId client, DeviceId device) => Rows(
        Command(
            "SELECT asked_at FROM healing WHERE client = $client AND device = $device",
            ("$client", Bytes(client.Value)),
            ("$device", Bytes(device.Value))),
        static reader => OptionalTime(reader, 0)).FirstOrDefault();

    /// <summary>When all that a device had asked for was last sent again; null when it never was.</summary>
    public DateTimeOffset? GetServedAt(ClientId client, DeviceId device) => Rows(
        Command(
            "SELECT served_at FROM healing WHERE client = $client AND device = $device",
            ("$client", Bytes(client.Value)),
            ("$device", Bytes(device.Value))),
        static reader => OptionalTime(reader, 0)).FirstOrDefault();

    public void SetServedAt(ClientId client, DeviceId device, DateTimeOffset now) => Execute(
        """
        INSERT INTO healing (client, device, served_at) VALUES ($client, $device, $now)
        ON CONFLICT (client, device) DO UPDATE SET served_at = excluded.served_at
        """,
        ("$client", Bytes(client.Value)),
        ("$device", Bytes(device.Value)),
        ("$now", now.ToUnixTimeMilliseconds()));

    public void SetAskedAt(ClientId client, DeviceId device, DateTimeOffset now) => Execute(
        """
        INSERT INTO healing (client, device, asked_at) VALUES ($client, $device, $now)
        ON CONFLICT (client, device) DO UPDATE SET asked_at = excluded.asked_at
        """,
        ("$client", Bytes(client.Value)),
        ("$device", Bytes(device.Value)),
        ("$now", now.ToUnixTimeMilliseconds()));

    /// <summary>Says whether a device waits for a message from this one, so that the ratchet between them can turn.</summary>
    public void SetAnswerDue(ClientId client, DeviceId device, bool due) => Execute(
        """
        INSERT INTO healing (client, device, is_answer_due) VALUES ($client, $device, $due)
        ON CONFLICT (client, device) DO UPDATE SET is_answer_due = excluded.is_answer_due
        """,
        ("$client", Bytes(client.Value)),
        ("$device", Bytes(device.Value)),
        ("$due", due));

    /// <summary>The devices that wait for an answer.</summary>
    public List<(ClientId Client, DeviceId Device)> ListAnswersDue() => Rows(
        Command("SELECT client, device FROM healing WHERE is_answer_due <> 0"),
        static reader => (new ClientId(Id(reader, 0)), new DeviceId(Id(reader, 1)))).ToList();
}

/// <summary>A message that could not be read.</summary>
/// <param name="Sender">Who sent it.</param>
/// <param name="Device">The device that sent it.</param>
/// <param name="Message">Its id.</param>
/// <param name="Since">When it came.</param>
/// <param name="Asked">How often it was asked for.</param>
internal sealed record UnreadableMessage(ClientId Sender, DeviceId Device, MessageId Message, DateTimeOffset Since, int Asked);

/// <summary>A message that a device asked for anew.</summary>
internal sealed record ResendTask(ClientId Client, DeviceId Device, MessageId Message);
