using System.Text;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Client.Tests;

/// <summary>A store of version 1, as it was written, is brought to the present tables.</summary>
public sealed class StoreMigrationTests : IDisposable
{
    private const string FormerTables = """
        CREATE TABLE contacts (client BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, verified BLOB) WITHOUT ROWID;
        CREATE TABLE devices (
            client BLOB NOT NULL, device BLOB NOT NULL, identity BLOB NOT NULL, sessions BLOB,
            PRIMARY KEY (client, device)) WITHOUT ROWID;
        CREATE TABLE inbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT, message BLOB NOT NULL, sender BLOB NOT NULL, device BLOB NOT NULL,
            sender_name TEXT NOT NULL, accepted_at INTEGER NOT NULL, content BLOB, problem INTEGER NOT NULL, read_at INTEGER,
            UNIQUE (sender, message));
        CREATE INDEX inbox_unread ON inbox (id) WHERE read_at IS NULL;
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT, message BLOB NOT NULL UNIQUE, recipient TEXT NOT NULL, content BLOB NOT NULL,
            request BLOB NOT NULL);
        PRAGMA user_version = 1;
        """;

    private const string Name = "bob-of-version-1";
    private static readonly DateTimeOffset At = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly SecretBytes _outerKey = SecretBytes.Random(64);
    private readonly ClientId _client = ClientId.New();
    private readonly DeviceId _device = DeviceId.New();
    private readonly MessageId _read = MessageId.New();
    private readonly MessageId _unreadable = MessageId.New();
    private readonly MessageId _unread = MessageId.New();
    private readonly MessageId _waiting = MessageId.New();
    private readonly PublicDeviceIdentity _identity;
    private readonly SecretBytes _storeKey;
    private readonly DeviceId _ownDevice;
    private readonly byte[] _ownPrekeys;

    public StoreMigrationTests()
    {
        using var identity = DeviceIdentity.Generate();
        _identity = identity.Public;
        using (var store = LocalStore.OpenOrCreate(StorePath, _outerKey))
        {
            store.Write(static transaction =>
            {
                DeviceKeys.Ensure(transaction, DateTimeOffset.UnixEpoch);
                transaction.SetSetting("a", [1, 2, 3]);
                transaction.SetSetting("prekeys published at", [4]);
            });
            _storeKey = store.CopyKey();
            _ownDevice = store.Read(DeviceKeys.Device);
            using var prekeys = store.Read(DeviceKeys.Prekeys);
            _ownPrekeys = prekeys.Bundle.ToBytes();
        }

        SqliteConnection.ClearAllPools();
        MakeFormer();
    }

    private string StorePath => _folder.File("store.db");

    public void Dispose()
    {
        _storeKey.Dispose();
        _outerKey.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_worth_keeping_is_kept_whichever_key_opens_it(bool byOuterKey)
    {
        using (var store = byOuterKey ? LocalStore.OpenOrCreate(StorePath, _outerKey) : LocalStore.Open(StorePath, _storeKey))
        {
            AssertKept(store);
        }

        // And not a second time.
        using var again = LocalStore.OpenOrCreate(StorePath, _outerKey);
        AssertKept(again);
    }

    [Fact]
    public void New_prekeys_are_made_and_are_yet_to_be_published()
    {
        using var store = LocalStore.OpenOrCreate(StorePath, _outerKey);

        Assert.Equal(_ownDevice, store.Read(DeviceKeys.Device));
        using var identity = store.Read(DeviceKeys.Identity);
        using var prekeys = store.Read(DeviceKeys.Prekeys);
        Assert.NotEqual(_ownPrekeys, prekeys.Bundle.ToBytes());
        Assert.True(prekeys.Bundle.IsSignedBy(identity.Public));
        Assert.Null(store.Read(static transaction => transaction.GetSetting("prekeys published at")));
    }

    [Fact]
    public void No_name_stays_behind_in_the_files()
    {
        Assert.True(_folder.AllBytes().AsSpan().IndexOf(Encoding.UTF8.GetBytes(Name)) >= 0, "The search finds what is there in clear.");

        using var store = LocalStore.OpenOrCreate(StorePath, _outerKey);

        Assert.Equal(-1, _folder.AllBytes().AsSpan().IndexOf(Encoding.UTF8.GetBytes(Name)));
    }

    [Fact]
    public void A_wrong_key_changes_nothing()
    {
        using var wrong = SecretBytes.Random(64);

        AssertUnusable(() => LocalStore.Open(StorePath, wrong).Dispose());
        Assert.Null(LocalStore.TryOpenOrCreate(StorePath, wrong));

        Assert.Equal(1L, Query("PRAGMA user_version"));
        using var store = LocalStore.OpenOrCreate(StorePath, _outerKey);
        AssertKept(store);
    }

    [Theory]
    [InlineData("UPDATE outbox SET content = (SELECT content FROM inbox LIMIT 1)")]
    [InlineData("UPDATE outbox SET recipient = 'nobody'")]
    [InlineData("UPDATE inbox SET message = zeroblob(15) WHERE read_at IS NOT NULL")]
    [InlineData("UPDATE devices SET identity = x'00'")]
    [InlineData("UPDATE contacts SET name = x'00'")]
    [InlineData("UPDATE settings SET value = x'00' WHERE name = 'a'")]
    public void A_damaged_one_is_refused_and_stays_as_it_is(string sql)
    {
        Query(sql);

        AssertUnusable(() => LocalStore.OpenOrCreate(StorePath, _outerKey).Dispose());

        Assert.Equal(1L, Query("PRAGMA user_version"));
        Assert.Equal(3L, Query("SELECT count(*) FROM inbox"));
        Assert.Equal(1L, Query("SELECT count(*) FROM contacts"));
        Assert.Equal(1L, Query("SELECT count(*) FROM outbox"));
        Assert.Equal(0L, Query("SELECT count(*) FROM sqlite_master WHERE name LIKE 'former%' OR name = 'messages'"));
    }

    private static void AssertUnusable(Action action) =>
        Assert.Equal(MessagingFailure.StoreUnusable, Assert.Throws<MessagingException>(action).Failure);

    private static byte[] Bytes(Guid id) => id.ToByteArray(bigEndian: true);

    private void AssertKept(LocalStore store) => store.Read(transaction =>
    {
        using var setting = transaction.GetSetting("a");
        Assert.Equal([1, 2, 3], setting?.Span.ToArray());
        Assert.Equal([(_client, Name)], transaction.ListContacts());
        Assert.Equal(_client, transaction.FindContact(Name));
        Assert.False(transaction.GetContactKey(_client).IsVerified);
        Assert.Empty(transaction.GetContactKey(_client).Pinned);

        var device = Assert.Single(transaction.ListDevices(_client));
        Assert.Equal(_identity, device.Identity);
        Assert.True(device.IsAccepted);
        Assert.Empty(device.Link);
        using var sessions = transaction.GetSessions(_client, _device);
        Assert.False(sessions.HasSession);

        var messages = transaction.ListMessages(null, null, 10);
        Assert.Equal([_unread, _unreadable, _read], messages.Select(static message => message.Message));
        Assert.Equal(["new", null, "old"], messages.Select(static message => message.Content?.Text));
        Assert.Equal([false, false, true], messages.Select(static message => message.IsRead));
        Assert.Equal(MessageProblem.UntrustedSender, messages[1].Problem);
        Assert.All(messages, message =>
        {
            Assert.Equal(_client, message.Peer);
            Assert.Equal(_device, message.Device);
            Assert.Equal(Name, message.SenderName);
            Assert.Equal(At, message.AcceptedAt);
            Assert.False(message.IsOutgoing);
            Assert.True(transaction.IsReceived(_client, message.Message));
        });

        var entry = Assert.Single(transaction.ListOutbox());
        Assert.Equal(_waiting, entry.Message);
        Assert.Equal(_client, entry.Recipient);
        Assert.Equal([7, 8, 9], entry.Content);
        Assert.Null(entry.Request);
        return 0;
    });

    private void MakeFormer()
    {
        using var cipher = new StoreCipher(_storeKey.Clone());
        Query("""
            DROP TABLE contacts; DROP TABLE devices; DROP TABLE received; DROP TABLE messages; DROP TABLE outbox; DROP TABLE sent;
            DROP TABLE unreadable; DROP TABLE resends; DROP TABLE healing;
            """);
        Query(FormerTables);
        var client = Bytes(_client.Value);
        Query(
            "INSERT INTO contacts VALUES ($client, $name, $verified)",
            ("$client", client),
            ("$name", Name),
            ("$verified", cipher.Seal("contacts.verified", client, "12345"u8)));
        byte[] row = [.. client, .. Bytes(_device.Value)];
        Query(
            "INSERT INTO devices VALUES ($client, $device, $identity, $sessions)",
            ("$client", client),
            ("$device", Bytes(_device.Value)),
            ("$identity", cipher.Seal("devices.identity", row, _identity.ToBytes())),
            ("$sessions", cipher.Seal("devices.sessions", row, [0, 1, 2])));
        AddToInbox(cipher, _read, "old", MessageProblem.None, At);
        AddToInbox(cipher, _unreadable, null, MessageProblem.UntrustedSender, null);
        AddToInbox(cipher, _unread, "new", MessageProblem.None, null);
        Query(
            "INSERT INTO outbox (message, recipient, content, request) VALUES ($message, $recipient, $content, x'00')",
            ("$message", Bytes(_waiting.Value)),
            ("$recipient", Name),
            ("$content", cipher.Seal("outbox.content", Bytes(_waiting.Value), [7, 8, 9])));
    }

    private void AddToInbox(StoreCipher cipher, MessageId message, string? text, MessageProblem problem, DateTimeOffset? readAt) => Query(
        """
        INSERT INTO inbox (message, sender, device, sender_name, accepted_at, content, problem, read_at)
        VALUES ($message, $sender, $device, $name, $accepted, $content, $problem, $read)
        """,
        ("$message", Bytes(message.Value)),
        ("$sender", Bytes(_client.Value)),
        ("$device", Bytes(_device.Value)),
        ("$name", Name),
        ("$accepted", At.ToUnixTimeMilliseconds()),
        ("$content", text is null
            ? null
            : cipher.Seal(
                "inbox.content", [.. Bytes(_client.Value), .. Bytes(message.Value)], MessageContent.OfText(text, At).ToBytes())),
        ("$problem", (long)problem),
        ("$read", readAt?.ToUnixTimeMilliseconds()));

    private object? Query(string sql, params (string Name, object? Value)[] parameters)
    {
        using var connection = new SqliteConnection($"Data Source={StorePath}");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        return command.ExecuteScalar();
    }
}
