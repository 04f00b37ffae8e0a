using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Client.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

public sealed class LocalStoreTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly SecretBytes _outerKey = SecretBytes.Random(64);

    private string StorePath => _folder.File("store.db");

    public void Dispose()
    {
        _outerKey.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_store_is_opened_by_the_key_that_it_was_made_with_or_by_its_own()
    {
        SecretBytes own;
        using (var made = Open())
        {
            made.Write(static transaction => transaction.SetSetting("a", [1, 2, 3]));
            own = made.CopyKey();
        }

        using var byOuter = Open();
        using var byOwn = LocalStore.Open(StorePath, own);
        own.Dispose();

        Assert.Equal([1, 2, 3], SettingOf(byOuter, "a"));
        Assert.Equal([1, 2, 3], SettingOf(byOwn, "a"));
    }

    [Fact]
    public void Two_stores_have_keys_of_their_own_even_under_one_outer_key()
    {
        using var one = Open();
        using var other = LocalStore.OpenOrCreate(_folder.File("other.db"), _outerKey);
        using var oneKey = one.CopyKey();
        using var otherKey = other.CopyKey();

        Assert.NotEqual(oneKey.Span.ToArray(), otherKey.Span.ToArray());
    }

    [Fact]
    public void Another_key_opens_nothing_and_harms_nothing()
    {
        using (var made = Open())
        {
            made.Write(static transaction => transaction.SetSetting("a", [1]));
        }

        using var wrong = SecretBytes.Random(64);
        AssertUnusable(() => LocalStore.OpenOrCreate(StorePath, wrong).Dispose());
        using (var byWrongOwn = LocalStore.Open(StorePath, wrong))
        {
            AssertUnusable(() => SettingOf(byWrongOwn, "a"));
        }

        using var again = Open();
        Assert.Equal([1], SettingOf(again, "a"));
    }

    [Fact]
    public void A_missing_store_is_made_only_where_a_login_makes_it()
    {
        using var key = SecretBytes.Random(64);

        AssertUnusable(() => LocalStore.Open(StorePath, key).Dispose());
        Assert.False(File.Exists(StorePath));
    }

    [Fact]
    public void A_place_where_no_store_can_be_is_named()
    {
        File.WriteAllText(_folder.File("file"), "");

        AssertUnusable(() => LocalStore.OpenOrCreate(_folder.File("file/store.db"), _outerKey).Dispose());
        AssertUnusable(() => LocalStore.OpenOrCreate(Path.GetDirectoryName(StorePath)!, _outerKey).Dispose());
    }

    [Fact]
    public void A_store_of_a_newer_version_is_left_alone()
    {
        using (Open())
        {
        }

        Execute("PRAGMA user_version = 3");

        var e = AssertUnusable(() => Open().Dispose());
        Assert.Contains("newer", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_store_is_refused_and_left_alone()
    {
        File.WriteAllText(StorePath, new string('x', 10_000));

        AssertUnusable(() => Open().Dispose());

        Assert.Equal(new string('x', 10_000), File.ReadAllText(StorePath));
    }

    [Fact]
    public void Whatever_is_damaged_in_a_store_is_an_exception_of_the_clients_own()
    {
        Filled filled;
        using (var store = Open())
        {
            filled = Fill(store);
        }

        SqliteConnection.ClearAllPools();
        Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        SqliteConnection.ClearAllPools();
        var intact = File.ReadAllBytes(StorePath);
        var random = new Random(20300102);
        var damaged = 0;
        for (var i = 0; i < 100; i++)
        {
            var bytes = intact.ToArray();
            if (i % 10 == 0)
            {
                bytes = bytes[..random.Next(1, bytes.Length)];
            }
            else
            {
                random.NextBytes(bytes.AsSpan(random.Next(bytes.Length - 40), random.Next(1, 40)));
            }

            File.Delete($"{StorePath}-wal");
            File.Delete($"{StorePath}-shm");
            File.WriteAllBytes(StorePath, bytes);
            try
            {
                using var store = Open();
                ReadAll(store, filled);
            }
            catch (MessagingException e)
            {
                Assert.Equal(MessagingFailure.StoreUnusable, e.Failure);
                damaged++;
            }

            SqliteConnection.ClearAllPools();
        }

        Assert.InRange(damaged, 5, 100);
    }

    [Fact]
    public void Everything_that_is_put_in_comes_out()
    {
        using var store = Open();
        var filled = Fill(store);

        store.Read(transaction =>
        {
            Assert.Equal("bob", transaction.FindContactName(filled.Client));
            Assert.Equal(filled.Client, transaction.FindContact("bob"));
            Assert.Null(transaction.FindContact("Bob"));
            Assert.Null(transaction.FindContactName(ClientId.New()));
            Assert.Equal([(filled.Client, "bob")], transaction.ListContacts());
            Assert.Equal(filled.Key.Pinned, transaction.GetContactKey(filled.Client).Pinned);
            Assert.Equal(filled.Route, transaction.GetRoute(filled.Client));
            Assert.Equal(filled.Identity, transaction.FindDevice(filled.Client, filled.Device)?.Identity);
            Assert.Null(transaction.FindDevice(filled.Client, DeviceId.New()));
            Assert.Equal([filled.Identity], transaction.ListDevices(filled.Client).Select(static device => device.Identity));
            Assert.True(transaction.IsReceived(filled.Client, filled.Message));
            Assert.False(transaction.IsReceived(ClientId.New(), filled.Message));
            Assert.Equal([1, 2, 3], transaction.FindSent(filled.Message)?.Content);
            Assert.Equal(filled.Message, Assert.Single(transaction.ListUnreadable()).Message);
            Assert.Equal([new ResendTask(filled.Client, filled.Device, filled.Message)], transaction.ListResends());
            Assert.Equal([(filled.Client, filled.Device)], transaction.ListAnswersDue());
            Assert.Equal(DateTimeOffset.UnixEpoch, transaction.GetAskedAt(filled.Client, filled.Device));
            using var sessions = transaction.GetSessions(filled.Client, filled.Device);
            Assert.True(sessions.HasSession);
            using var none = transaction.GetSessions(filled.Client, DeviceId.New());
            Assert.False(none.HasSession);
            return 0;
        });

        var entry = Assert.Single(store.Read(static transaction => transaction.ListOutbox()));
        Assert.Equal(filled.Message, entry.Message);
        Assert.Equal(filled.Client, entry.Recipient);
        Assert.Equal([1, 2, 3], entry.Content);
        Assert.Equal([4, 5, 6], entry.Request);
        Assert.Equal(filled.Account with { Certificate = [], RealmKey = [] }, store.Read(Account.Load)! with { Certificate = [], RealmKey = [] });
        Assert.Equal(filled.Account.RealmKey, store.Read(Account.Load)!.RealmKey);
        Assert.Equal("host", store.Read(HomeServer.Load)?.Host);
    }

    [Fact]
    public void What_fails_in_the_middle_leaves_nothing_behind()
    {
        using var store = Open();

        Assert.Throws<InvalidOperationException>(() => store.Write(static transaction =>
        {
            transaction.SetSetting("a", [1]);
            throw new InvalidOperationException("in the middle");
        }));

        Assert.Null(store.Read(static transaction => transaction.GetSetting("a")));
    }

    [Theory]
    [InlineData("UPDATE settings SET value = (SELECT value FROM settings WHERE name = 'a') WHERE name = 'b'")]
    [InlineData("UPDATE settings SET value = (SELECT value FROM settings WHERE name = 'store key') WHERE name = 'b'")]
    [InlineData("UPDATE settings SET value = (SELECT identity FROM devices) WHERE name = 'b'")]
    [InlineData("UPDATE settings SET value = substr(value, 1, length(value) - 1) WHERE name = 'b'")]
    [InlineData("UPDATE settings SET value = x'' WHERE name = 'b'")]
    [InlineData("UPDATE devices SET identity = sessions")]
    [InlineData("UPDATE devices SET sessions = identity")]
    [InlineData("UPDATE devices SET device = zeroblob(16)")]
    [InlineData("UPDATE devices SET is_listed = 2")]
    [InlineData("UPDATE devices SET first_seen_at = 'now'")]
    [InlineData("UPDATE contacts SET client = zeroblob(16)")]
    [InlineData("UPDATE contacts SET client = zeroblob(15)")]
    [InlineData("UPDATE contacts SET name = key")]
    [InlineData("UPDATE contacts SET name = 'bob'")]
    [InlineData("UPDATE contacts SET key = name")]
    [InlineData("UPDATE contacts SET home_server = 'here'")]
    [InlineData("UPDATE contacts SET looked_up_at = -1")]
    [InlineData("UPDATE messages SET content = (SELECT content FROM outbox)")]
    [InlineData("UPDATE messages SET content = 'hello'")]
    [InlineData("UPDATE messages SET peer = zeroblob(16)")]
    [InlineData("UPDATE messages SET message = zeroblob(16)")]
    [InlineData("UPDATE messages SET is_outgoing = 1")]
    [InlineData("UPDATE messages SET is_outgoing = 2")]
    [InlineData("UPDATE messages SET device = 'phone'")]
    [InlineData("UPDATE messages SET accepted_at = 9223372036854775807")]
    [InlineData("UPDATE messages SET problem = 'none'")]
    [InlineData("UPDATE outbox SET content = (SELECT content FROM messages)")]
    [InlineData("UPDATE outbox SET content = request")]
    [InlineData("UPDATE outbox SET request = content")]
    [InlineData("UPDATE outbox SET message = zeroblob(16)")]
    [InlineData("UPDATE outbox SET recipient = zeroblob(16)")]
    [InlineData("UPDATE sent SET content = (SELECT content FROM outbox)")]
    [InlineData("UPDATE sent SET recipient = zeroblob(16)")]
    [InlineData("UPDATE sent SET sent_at = 'now'")]
    [InlineData("UPDATE unreadable SET sender = 1")]
    [InlineData("UPDATE unreadable SET asked = -1")]
    [InlineData("UPDATE resends SET device = 'phone'")]
    [InlineData("UPDATE healing SET client = zeroblob(17)")]
    [InlineData("UPDATE healing SET asked_at = x'00'")]
    [InlineData("UPDATE settings SET value = (SELECT value FROM settings WHERE name = 'a') WHERE name = 'account'")]
    public void A_value_that_was_moved_or_cut_does_not_open(string sql)
    {
        using var store = Open();
        var filled = Fill(store);
        store.Write(static transaction =>
        {
            transaction.SetSetting("a", [1]);
            transaction.SetSetting("b", [2]);
        });
        ReadAll(store, filled);

        Execute(sql);

        AssertUnusable(() => ReadAll(store, filled));
    }

    [Fact]
    public void Nothing_secret_is_in_the_files()
    {
        using var store = Open();
        var filled = Fill(store);
        const string Secret = "what nobody else may read";
        var client = ClientId.New();
        store.Write(transaction =>
        {
            transaction.AddContact(client, "someone-nobody-knows");
            transaction.AddMessage(new NewMessage(
                MessageId.New(),
                client,
                IsOutgoing: false,
                DeviceId.New(),
                "someone-nobody-knows",
                DateTimeOffset.UnixEpoch,
                MessageContent.OfText(Secret, DateTimeOffset.UnixEpoch).ToBytes(),
                MessageProblem.None));
            transaction.PutInOutbox(new OutboxEntry(
                MessageId.New(), client, null, Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes("someone-nobody-knows")));
            transaction.AddSent(new SentRecord(
                MessageId.New(), client, Encoding.UTF8.GetBytes(Secret), [DeviceId.New()], DateTimeOffset.UnixEpoch));
            DeviceKeys.Ensure(transaction, DateTimeOffset.UnixEpoch);
        });
        using var ticket = TicketOf();
        new TicketCache(store).PutGranting(ticket);
        using var identity = store.Read(DeviceKeys.Identity);
        using var prekeys = store.Read(DeviceKeys.Prekeys);
        using var exportedIdentity = identity.Export();
        using var exportedPrekeys = prekeys.Export();
        using var storeKey = store.CopyKey();

        var bytes = _folder.AllBytes();
        Assert.True(
            bytes.AsSpan().IndexOf(client.Value.ToByteArray(bigEndian: true)) >= 0, "The search finds what is there in clear.");
        Assert.Equal(-1, bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Secret)));
        Assert.Equal(-1, bytes.AsSpan().IndexOf("someone-nobody-knows"u8));
        foreach (var secret in new[]
        {
            exportedIdentity.Span[1..33].ToArray(),
            exportedIdentity.Span[33..65].ToArray(),
            exportedPrekeys.Span[5..37].ToArray(),
            exportedPrekeys.Span[41..73].ToArray(),
            storeKey.Span[..32].ToArray(),
            storeKey.Span[32..].ToArray(),
            _outerKey.Span[..32].ToArray(),
            ticket.SessionKey.Span.ToArray(),
            filled.Identity.ToBytes(),
            filled.Key.Pinned,
            filled.Key.Seen,
        })
        {
            Assert.Equal(-1, bytes.AsSpan().IndexOf(secret));
        }
    }

    [Fact]
    public void The_files_are_their_owners_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other means.");
        using var store = LocalStore.OpenOrCreate(_folder.File("new/store.db"), _outerKey);
        Fill(store);

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder.File("new")));
            foreach (var file in Directory.GetFiles(_folder.File("new")))
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Several_programs_may_make_and_change_one_store_at_once()
    {
        const int Programs = 4;
        const int Changes = 10;
        await Task.WhenAll(Enumerable.Range(0, Programs).Select(program => Task.Run(
            () =>
            {
                using var store = Open();
                for (var i = 0; i < Changes; i++)
                {
                    // Read and write in one transaction: no change of another program comes between.
                    store.Write(static transaction =>
                    {
                        using var counter = transaction.GetSetting("counter");
                        transaction.SetSetting("counter", [(byte)((counter?.Span[0] ?? 0) + 1)]);
                    });
                }
            },
            TestContext.Current.CancellationToken)));

        using var last = Open();
        Assert.Equal([Programs * Changes], SettingOf(last, "counter"));
    }

    [Fact(Timeout = 30_000)]
    public async Task Disposal_waits_for_what_is_being_written_and_refuses_what_comes_after()
    {
        var store = Open();
        var isWriting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var mayGoOn = new ManualResetEventSlim();
        var cancel = TestContext.Current.CancellationToken;
        var writing = Task.Run(
            () => store.Write(transaction =>
            {
                isWriting.SetResult();
                mayGoOn.Wait(cancel);
                transaction.SetSetting("a", [1]);
            }),
            cancel);
        await isWriting.Task;
        var disposing = Task.Run(store.Dispose, cancel);
        Assert.False(disposing.IsCompleted);

        mayGoOn.Set();
        await writing;
        await disposing;

        Assert.Throws<ObjectDisposedException>(() => store.Read(static transaction => transaction.GetSetting("a")));
        using var again = Open();
        Assert.Equal([1], SettingOf(again, "a"));
    }

    [Fact]
    public void Tickets_are_kept_by_server_and_forgotten_together()
    {
        using var store = Open();
        var cache = new TicketCache(store);
        var server = ServerId.New();
        using var granting = TicketOf();
        using var service = TicketOf();
        Assert.False(cache.HasGranting);
        Assert.Equal(MessagingFailure.NotLoggedIn, Assert.Throws<MessagingException>(() => cache.GetGranting()).Failure);
        store.Write(static transaction => transaction.SetSetting("other", [1]));

        cache.PutGranting(granting);
        cache.PutService(server, service);

        Assert.True(cache.HasGranting);
        Assert.Equal([server], cache.ListServices());
        using (var found = cache.GetGranting())
        using (var foundService = cache.GetService(server)!)
        {
            Assert.Equal(granting.SessionKey.Span.ToArray(), found.SessionKey.Span.ToArray());
            Assert.Equal(service.SessionKey.Span.ToArray(), foundService.SessionKey.Span.ToArray());
        }

        Assert.Null(cache.GetService(ServerId.New()));
        cache.Clear();
        Assert.False(cache.HasGranting);
        Assert.Empty(cache.ListServices());
        Assert.Equal([1], SettingOf(store, "other"));
    }

    [Fact]
    public void Device_keys_are_made_once()
    {
        using var store = Open();
        store.Write(static transaction => DeviceKeys.Ensure(transaction, DateTimeOffset.UnixEpoch));
        var device = store.Read(DeviceKeys.Device);
        using var identity = store.Read(DeviceKeys.Identity);

        store.Write(static transaction => DeviceKeys.Ensure(transaction, DateTimeOffset.UnixEpoch));

        Assert.Equal(device, store.Read(DeviceKeys.Device));
        using var again = store.Read(DeviceKeys.Identity);
        Assert.Equal(identity.Public, again.Public);
        using var prekeys = store.Read(DeviceKeys.Prekeys);
        Assert.True(prekeys.Bundle.IsSignedBy(identity.Public));
    }

    [Fact]
    public void Prekeys_alone_that_are_missing_are_made_for_the_same_device()
    {
        using var store = Open();
        store.Write(static transaction => DeviceKeys.Ensure(transaction, DateTimeOffset.UnixEpoch));
        var device = store.Read(DeviceKeys.Device);
        using var identity = store.Read(DeviceKeys.Identity);
        store.Write(static transaction => transaction.RemoveSettings("prekeys"));

        store.Write(static transaction => DeviceKeys.Ensure(transaction, DateTimeOffset.UnixEpoch));

        Assert.Equal(device, store.Read(DeviceKeys.Device));
        using var prekeys = store.Read(DeviceKeys.Prekeys);
        Assert.True(prekeys.Bundle.IsSignedBy(identity.Public));
    }

    private static byte[]? SettingOf(LocalStore store, string name) => store.Read(transaction =>
    {
        using var value = transaction.GetSetting(name);
        return value?.Span.ToArray();
    });

    private static CachedTicket TicketOf() => new(
        RandomNumberGenerator.GetBytes(100),
        SecretBytes.Random(32),
        new TicketTimes(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch));

    // One of everything.
    private static Filled Fill(LocalStore store)
    {
        using var self = DeviceIdentity.Generate();
        using var peer = DeviceIdentity.Generate();
        using var prekeys = DevicePrekeys.Generate(peer, DateTimeOffset.UnixEpoch);
        using var sessions = PeerSessions.Create();
        sessions.StartSession(self, [], peer.Public, prekeys.Bundle, null, null, DateTimeOffset.UnixEpoch);
        var at = DateTimeOffset.UnixEpoch;
        var filled = new Filled(
            ClientId.New(),
            DeviceId.New(),
            MessageId.New(),
            peer.Public,
            new ContactKey(RandomNumberGenerator.GetBytes(32), RandomNumberGenerator.GetBytes(32), IsVerified: true),
            new ContactRoute(ServerId.New(), at),
            new Account(ClientId.New(), "alice", DeviceId.New(), [1, 2, 3], RandomNumberGenerator.GetBytes(32), SessionId.New()));
        store.Write(transaction =>
        {
            transaction.AddContact(filled.Client, "bob");
            transaction.SetContactKey(filled.Client, filled.Key);
            transaction.SetRoute(filled.Client, filled.Route);
            transaction.PutDevice(
                filled.Client, new StoredDevice(filled.Device, filled.Identity, new byte[97], IsAccepted: true, IsListed: true, at));
            transaction.SetSessions(filled.Client, filled.Device, sessions);
            transaction.AddReceived(filled.Client, filled.Message, at);
            transaction.AddMessage(new NewMessage(
                filled.Message,
                filled.Client,
                IsOutgoing: false,
                filled.Device,
                "bob",
                at,
                MessageContent.OfText("hello", at).ToBytes(),
                MessageProblem.None));
            transaction.PutInOutbox(new OutboxEntry(filled.Message, filled.Client, filled.Device, [1, 2, 3], [4, 5, 6]));
            transaction.AddSent(new SentRecord(filled.Message, filled.Client, [1, 2, 3], [filled.Device], at));
            transaction.AddUnreadable(filled.Client, filled.Device, filled.Message, at);
            transaction.AddResend(filled.Client, filled.Device, filled.Message);
            transaction.SetAskedAt(filled.Client, filled.Device, at);
            transaction.SetAnswerDue(filled.Client, filled.Device, due: true);
            filled.Account.Save(transaction);
            new ServerEntry(ServerId.New(), "message-1", "host", 1257, new byte[32]).Save(transaction);
        });
        return filled;
    }

    private static void ReadAll(LocalStore store, Filled filled) => store.Read(transaction =>
    {
        foreach (var name in transaction.ListSettings(""))
        {
            if (name != "store key")
            {
                transaction.GetSetting(name)?.Dispose();
            }
        }

        Account.Load(transaction);
        HomeServer.Load(transaction);
        foreach (var (client, _) in transaction.ListContacts())
        {
            transaction.GetContactKey(client);
            transaction.GetRoute(client);
        }

        transaction.FindContact("bob");
        transaction.GetSessions(filled.Client, filled.Device).Dispose();
        transaction.ListDevices(filled.Client);
        transaction.NextUnread(0);
        transaction.ListMessages(null, null, 10);
        transaction.ListOutbox();
        transaction.FindSent(filled.Message);
        transaction.ListUnreadable();
        transaction.ListResends();
        transaction.GetAskedAt(filled.Client, filled.Device);
        transaction.ListAnswersDue();
        return 0;
    });

    private static MessagingException AssertUnusable(Action action)
    {
        var e = Assert.Throws<MessagingException>(action);
        Assert.Equal(MessagingFailure.StoreUnusable, e.Failure);
        Assert.DoesNotContain('\n', e.Message);
        return e;
    }

    private LocalStore Open() => LocalStore.OpenOrCreate(StorePath, _outerKey);

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={StorePath}");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private sealed record Filled(
        ClientId Client,
        DeviceId Device,
        MessageId Message,
        PublicDeviceIdentity Identity,
        ContactKey Key,
        ContactRoute Route,
        Account Account);
}
