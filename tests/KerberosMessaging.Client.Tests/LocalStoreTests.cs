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

        Execute("PRAGMA user_version = 2");

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
            Assert.Equal("12345", transaction.GetVerified(filled.Client));
            Assert.Equal(filled.Identity, transaction.FindIdentity(filled.Client, filled.Device));
            Assert.Null(transaction.FindIdentity(filled.Client, DeviceId.New()));
            Assert.Equal([filled.Identity], transaction.ListIdentities(filled.Client));
            Assert.True(transaction.IsInInbox(filled.Client, filled.Message));
            Assert.False(transaction.IsInInbox(ClientId.New(), filled.Message));
            using var sessions = transaction.GetSessions(filled.Client, filled.Device);
            Assert.True(sessions.HasSession);
            using var none = transaction.GetSessions(filled.Client, DeviceId.New());
            Assert.False(none.HasSession);
            return 0;
        });

        var entry = Assert.Single(store.Read(static transaction => transaction.ListOutbox()));
        Assert.Equal(filled.Message, entry.Message);
        Assert.Equal("bob", entry.Recipient);
        Assert.Equal([1, 2, 3], entry.Content);
        Assert.Equal([4, 5, 6], entry.Request);
        Assert.Equal(filled.Account with { Certificate = [], RealmKey = [] }, store.Read(Account.Load)! with { Certificate = [], RealmKey = [] });
        Assert.Equal(filled.Account.RealmKey, store.Read(Account.Load)!.RealmKey);
        Assert.Equal("host", store.Read(HomeServer.Load)?.Host);
    }

    [Fact]
    public void Messages_are_read_in_the_order_in_which_they_came_until_they_are_marked()
    {
        using var store = Open();
        foreach (var text in new[] { "first", "second", "third" })
        {
            AddToInbox(store, text);
        }

        var first = store.Read(static transaction => transaction.NextUnread(0))!;
        var second = store.Read(transaction => transaction.NextUnread(first.StoreId))!;
        store.Write(transaction => transaction.MarkRead(second.StoreId, DateTimeOffset.UnixEpoch));

        Assert.Equal("first", first.Content?.Text);
        Assert.Equal("second", second.Content?.Text);
        Assert.Equal("third", store.Read(transaction => transaction.NextUnread(first.StoreId))?.Content?.Text);
        Assert.Equal("first", store.Read(static transaction => transaction.NextUnread(0))?.Content?.Text);
    }

    [Fact]
    public void A_message_of_the_same_id_and_sender_is_in_the_inbox_once()
    {
        using var store = Open();
        var message = AddToInbox(store, "once");

        Assert.True(store.Read(transaction => transaction.IsInInbox(message.Sender, message.Id)));
        AssertUnusable(() => store.Write(transaction => transaction.AddToInbox(
            message.Id, message.Sender, message.SenderDevice, "bob", DateTimeOffset.UnixEpoch, null, MessageProblem.Unreadable)));
    }

    [Fact]
    public void A_newer_request_for_the_same_message_takes_the_older_ones_place()
    {
        using var store = Open();
        var message = MessageId.New();
        store.Write(transaction => transaction.PutInOutbox(message, "bob", [1], [1]));
        store.Write(transaction => transaction.PutInOutbox(message, "bob", [1], [2]));

        Assert.Equal([2], Assert.Single(store.Read(static transaction => transaction.ListOutbox())).Request);
        store.Write(transaction => transaction.RemoveFromOutbox(message));
        Assert.Empty(store.Read(static transaction => transaction.ListOutbox()));
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
    [InlineData("UPDATE contacts SET client = zeroblob(16)")]
    [InlineData("UPDATE inbox SET content = (SELECT content FROM outbox)")]
    [InlineData("UPDATE inbox SET sender = zeroblob(16)")]
    [InlineData("UPDATE inbox SET message = zeroblob(16)")]
    [InlineData("UPDATE outbox SET content = (SELECT content FROM inbox)")]
    [InlineData("UPDATE outbox SET message = zeroblob(16)")]
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
        AddToInbox(store, "what nobody else may read");
        store.Write(transaction =>
        {
            transaction.PutInOutbox(MessageId.New(), "bob", Encoding.UTF8.GetBytes("what nobody else may read"), [1]);
            DeviceKeys.Ensure(transaction);
        });
        using var ticket = TicketOf();
        new TicketCache(store).PutGranting(ticket);
        using var identity = store.Read(DeviceKeys.Identity);
        using var prekeys = store.Read(DeviceKeys.Prekeys);
        using var exportedIdentity = identity.Export();
        using var exportedPrekeys = prekeys.Export();
        using var storeKey = store.CopyKey();

        var bytes = _folder.AllBytes();
        Assert.True(bytes.AsSpan().IndexOf("bob"u8) >= 0, "The search finds what is there in clear.");
        Assert.Equal(-1, bytes.AsSpan().IndexOf("what nobody else may read"u8));
        Assert.Equal(-1, bytes.AsSpan().IndexOf("12345"u8));
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
        store.Write(DeviceKeys.Ensure);
        var device = store.Read(DeviceKeys.Device);
        using var identity = store.Read(DeviceKeys.Identity);

        store.Write(DeviceKeys.Ensure);

        Assert.Equal(device, store.Read(DeviceKeys.Device));
        using var again = store.Read(DeviceKeys.Identity);
        Assert.Equal(identity.Public, again.Public);
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

    private static ReceivedMessage AddToInbox(LocalStore store, string text)
    {
        var (message, client, device) = (MessageId.New(), ClientId.New(), DeviceId.New());
        var content = MessageContent.OfText(text, DateTimeOffset.UnixEpoch);
        store.Write(transaction => transaction.AddToInbox(
            message, client, device, "bob", DateTimeOffset.UnixEpoch, content.ToBytes(), MessageProblem.None));
        return new ReceivedMessage
        {
            Id = message,
            Sender = client,
            SenderDevice = device,
            SenderName = "bob",
            AcceptedAt = DateTimeOffset.UnixEpoch,
            Content = content,
            Problem = MessageProblem.None,
        };
    }

    // One of everything.
    private static Filled Fill(LocalStore store)
    {
        using var self = DeviceIdentity.Generate();
        using var peer = DeviceIdentity.Generate();
        using var prekeys = DevicePrekeys.Generate(peer);
        using var sessions = PeerSessions.Create();
        sessions.StartSession(self, [], peer.Public, prekeys.Bundle);
        var filled = new Filled(
            ClientId.New(),
            DeviceId.New(),
            MessageId.New(),
            peer.Public,
            new Account(ClientId.New(), "alice", DeviceId.New(), [1, 2, 3], RandomNumberGenerator.GetBytes(32), SessionId.New()));
        store.Write(transaction =>
        {
            transaction.AddContact(filled.Client, "bob");
            transaction.SetVerified(filled.Client, "12345");
            transaction.AddIdentity(filled.Client, filled.Device, filled.Identity);
            transaction.SetSessions(filled.Client, filled.Device, sessions);
            transaction.AddToInbox(
                filled.Message,
                filled.Client,
                filled.Device,
                "bob",
                DateTimeOffset.UnixEpoch,
                MessageContent.OfText("hello", DateTimeOffset.UnixEpoch).ToBytes(),
                MessageProblem.None);
            transaction.PutInOutbox(filled.Message, "bob", [1, 2, 3], [4, 5, 6]);
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
        if (transaction.FindContact("bob") is { } client)
        {
            transaction.GetVerified(client);
            transaction.ListIdentities(client);
        }

        transaction.GetSessions(filled.Client, filled.Device).Dispose();
        transaction.ListIdentities(filled.Client);
        transaction.NextUnread(0);
        transaction.ListOutbox();
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

    private sealed record Filled(ClientId Client, DeviceId Device, MessageId Message, PublicDeviceIdentity Identity, Account Account);
}
