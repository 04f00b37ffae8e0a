using System.Security.Cryptography;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Client.Tests;

/// <summary>What the local store remembers of contacts, devices and messages on their way.</summary>
public sealed class StoreTablesTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly SecretBytes _outerKey = SecretBytes.Random(64);
    private readonly LocalStore _store;
    private readonly ClientId _client = ClientId.New();
    private readonly DeviceId _device = DeviceId.New();

    public StoreTablesTests() => _store = LocalStore.OpenOrCreate(_folder.File("store.db"), _outerKey);

    public void Dispose()
    {
        _store.Dispose();
        _outerKey.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_name_has_one_tag_in_one_place_of_one_store_alone()
    {
        using var key = SecretBytes.Random(64);
        using var one = new StoreCipher(key.Clone());
        using var same = new StoreCipher(key.Clone());
        using var other = new StoreCipher(SecretBytes.Random(64));

        Assert.Equal(32, one.Tag("a", "bob"u8).Length);
        Assert.Equal(one.Tag("a", "bob"u8), same.Tag("a", "bob"u8));
        Assert.NotEqual(one.Tag("a", "bob"u8), one.Tag("a", "bot"u8));
        Assert.NotEqual(one.Tag("a", "bob"u8), one.Tag("b", "bob"u8));
        Assert.NotEqual(one.Tag("a", "bob"u8), other.Tag("a", "bob"u8));
    }

    [Fact]
    public void Contacts_are_found_by_name_and_by_id_and_listed_by_name()
    {
        var other = ClientId.New();
        _store.Write(transaction =>
        {
            transaction.AddContact(_client, "jürgen");
            transaction.AddContact(other, "bob");
        });

        _store.Read(transaction =>
        {
            Assert.Equal(_client, transaction.FindContact("jürgen"));
            Assert.Null(transaction.FindContact("jurgen"));
            Assert.Equal("jürgen", transaction.FindContactName(_client));
            Assert.Equal([(other, "bob"), (_client, "jürgen")], transaction.ListContacts());
            return 0;
        });
    }

    [Fact]
    public void Neither_a_name_nor_a_client_is_a_contact_twice()
    {
        _store.Write(transaction => transaction.AddContact(_client, "bob"));

        AssertUnusable(() => _store.Write(transaction => transaction.AddContact(_client, "other")));
        AssertUnusable(() => _store.Write(transaction => transaction.AddContact(ClientId.New(), "bob")));
    }

    [Fact]
    public void A_name_whose_tag_was_moved_to_another_contact_finds_nobody()
    {
        _store.Write(transaction =>
        {
            transaction.AddContact(_client, "bob");
            transaction.AddContact(ClientId.New(), "mallory");
        });
        using var own = _store.CopyKey();
        using var cipher = new StoreCipher(own.Clone());

        Execute("UPDATE contacts SET tag = zeroblob(32) WHERE tag = $tag", cipher.Tag("contacts.name", "bob"u8));
        Execute("UPDATE contacts SET tag = $tag WHERE tag <> zeroblob(32)", cipher.Tag("contacts.name", "bob"u8));

        AssertUnusable(() => _store.Read(static transaction => transaction.FindContact("bob")));
    }

    [Fact]
    public void What_is_known_of_an_account_key_is_replaced_as_a_whole()
    {
        var (pinned, seen) = (RandomNumberGenerator.GetBytes(32), RandomNumberGenerator.GetBytes(32));
        _store.Write(transaction => transaction.AddContact(_client, "bob"));
        AssertKey([], [], false);
        AssertKey([], [], false, ClientId.New());

        _store.Write(transaction => transaction.SetContactKey(_client, new ContactKey(pinned, seen, IsVerified: true)));
        AssertKey(pinned, seen, true);
        _store.Write(transaction => transaction.SetContactKey(_client, new ContactKey([], seen, IsVerified: false)));
        AssertKey([], seen, false);

        void AssertKey(byte[] expectedPinned, byte[] expectedSeen, bool isVerified, ClientId? client = null)
        {
            var key = _store.Read(transaction => transaction.GetContactKey(client ?? _client));
            Assert.Equal(expectedPinned, key.Pinned);
            Assert.Equal(expectedSeen, key.Seen);
            Assert.Equal(isVerified, key.IsVerified);
        }
    }

    [Fact]
    public void Nothing_is_remembered_of_who_is_no_contact()
    {
        using var sessions = PeerSessions.Create();

        _store.Write(transaction =>
        {
            Assert.Throws<InvalidOperationException>(() => transaction.SetContactKey(_client, new ContactKey([], [], false)));
            Assert.Throws<InvalidOperationException>(() => transaction.SetRoute(_client, new ContactRoute(ServerId.New(), At)));
            Assert.Throws<InvalidOperationException>(() => transaction.SetSessions(_client, _device, sessions));
            Assert.Throws<ArgumentException>(() => transaction.SetContactKey(_client, new ContactKey(new byte[31], [], false)));
            Assert.Throws<ArgumentException>(() => transaction.SetContactKey(_client, new ContactKey([], new byte[33], false)));
        });
    }

    [Fact]
    public void A_route_is_the_last_one()
    {
        var last = new ContactRoute(ServerId.New(), At.AddDays(1));
        _store.Write(transaction =>
        {
            transaction.AddContact(_client, "bob");
            Assert.Null(transaction.GetRoute(_client));
            transaction.SetRoute(_client, new ContactRoute(ServerId.New(), At));
            transaction.SetRoute(_client, last);
        });

        Assert.Equal(last, _store.Read(transaction => transaction.GetRoute(_client)));
        Assert.Null(_store.Read(static transaction => transaction.GetRoute(ClientId.New())));
    }

    [Fact]
    public void A_device_that_is_put_again_keeps_its_sessions_until_they_are_removed()
    {
        using var self = DeviceIdentity.Generate();
        using var peer = DeviceIdentity.Generate();
        using var prekeys = DevicePrekeys.Generate(peer, DateTimeOffset.UnixEpoch);
        using var sessions = PeerSessions.Create();
        sessions.StartSession(self, [], peer.Public, prekeys.Bundle, null, null, DateTimeOffset.UnixEpoch);
        var link = RandomNumberGenerator.GetBytes(97);
        _store.Write(transaction =>
        {
            transaction.PutDevice(_client, new StoredDevice(_device, peer.Public, [], IsAccepted: false, IsListed: true, At));
            transaction.SetSessions(_client, _device, sessions);
            transaction.PutDevice(_client, new StoredDevice(_device, peer.Public, link, IsAccepted: true, IsListed: false, At.AddDays(1)));
        });

        var device = _store.Read(transaction => transaction.FindDevice(_client, _device))!;
        Assert.Equal(peer.Public, device.Identity);
        Assert.Equal(link, device.Link);
        Assert.True(device.IsAccepted);
        Assert.False(device.IsListed);
        Assert.Equal(At.AddDays(1), device.FirstSeenAt);
        Assert.True(HasSession());

        _store.Write(static transaction => transaction.RemoveSessions());
        Assert.False(HasSession());
        Assert.NotNull(_store.Read(transaction => transaction.FindDevice(_client, _device)));

        bool HasSession()
        {
            using var found = _store.Read(transaction => transaction.GetSessions(_client, _device));
            return found.HasSession;
        }
    }

    [Fact]
    public void Devices_are_listed_as_they_were_met_and_a_link_has_its_length()
    {
        using var identity = DeviceIdentity.Generate();
        var (first, second) = (DeviceId.New(), DeviceId.New());
        _store.Write(transaction =>
        {
            transaction.PutDevice(_client, new StoredDevice(second, identity.Public, [], false, true, At.AddDays(1)));
            transaction.PutDevice(_client, new StoredDevice(first, identity.Public, [], false, true, At));
            transaction.PutDevice(ClientId.New(), new StoredDevice(DeviceId.New(), identity.Public, [], false, true, At));
            Assert.Throws<ArgumentException>(() => transaction.PutDevice(
                _client, new StoredDevice(first, identity.Public, new byte[96], false, true, At)));
        });

        Assert.Equal(
            [first, second], _store.Read(transaction => transaction.ListDevices(_client)).Select(static device => device.Device));
    }

    [Fact]
    public void What_is_in_the_outbox_is_replaced_when_it_is_encrypted_and_listed_in_order()
    {
        var (first, second) = (MessageId.New(), MessageId.New());
        _store.Write(transaction =>
        {
            transaction.PutInOutbox(new OutboxEntry(first, _client, null, [1], null));
            transaction.PutInOutbox(new OutboxEntry(second, _client, null, [2], [3]));
        });
        Assert.Null(Outbox()[0].Request);

        _store.Write(transaction => transaction.PutInOutbox(new OutboxEntry(first, _client, null, [1], [4])));

        Assert.Equal([first, second], Outbox().Select(static entry => entry.Message));
        Assert.Equal([4], Outbox()[0].Request);
        Assert.Equal([1], Outbox()[0].Content);
        _store.Write(transaction => transaction.PutInOutbox(new OutboxEntry(first, _client, null, [1], null)));
        Assert.Null(Outbox()[0].Request);
        _store.Write(transaction => transaction.RemoveFromOutbox(first));
        Assert.Equal(second, Assert.Single(Outbox()).Message);

        List<OutboxEntry> Outbox() => _store.Read(static transaction => transaction.ListOutbox());
    }

    [Fact]
    public void What_was_sent_is_found_until_it_is_too_old()
    {
        var (old, recent, devices) = (MessageId.New(), MessageId.New(), new[] { DeviceId.New(), DeviceId.New() });
        _store.Write(transaction =>
        {
            transaction.AddSent(new SentRecord(old, _client, [1], [], At));
            transaction.AddSent(new SentRecord(recent, _client, [2], devices[..1], At));
            transaction.AddSent(new SentRecord(recent, _client, [2, 3], devices, At.AddHours(1)));
            transaction.PurgeSent(At.AddHours(1));
        });

        var found = _store.Read(transaction => transaction.FindSent(recent))!;
        Assert.Equal(_client, found.Recipient);
        Assert.Equal([2, 3], found.Content);
        Assert.Equal(devices, found.Devices);
        Assert.Equal(At.AddHours(1), found.SentAt);
        Assert.Null(_store.Read(transaction => transaction.FindSent(old)));
    }

    [Fact]
    public void Messages_that_could_not_be_read_are_remembered_once_and_counted_as_they_are_asked_for()
    {
        var (first, second) = (MessageId.New(), MessageId.New());
        _store.Write(transaction =>
        {
            transaction.AddUnreadable(_client, _device, first, At);
            transaction.AddUnreadable(_client, DeviceId.New(), first, At.AddDays(1));
            transaction.AddUnreadable(_client, _device, second, At);
            transaction.CountAsked(_client, [first, second]);
            transaction.CountAsked(_client, [second]);
            transaction.CountAsked(ClientId.New(), [second]);
        });

        Assert.Equal(
            [new UnreadableMessage(_client, _device, first, At, 1), new UnreadableMessage(_client, _device, second, At, 2)],
            _store.Read(static transaction => transaction.ListUnreadable()));
        Assert.False(_store.Write(transaction => transaction.RemoveUnreadable(ClientId.New(), _device, first)));
        Assert.False(_store.Write(transaction => transaction.RemoveUnreadable(_client, DeviceId.New(), first)));
        Assert.True(_store.Write(transaction => transaction.RemoveUnreadable(_client, _device, first)));
        Assert.False(_store.Write(transaction => transaction.RemoveUnreadable(_client, _device, first)));
        Assert.Equal(second, Assert.Single(_store.Read(static transaction => transaction.ListUnreadable())).Message);
    }

    [Fact]
    public void What_is_asked_for_anew_is_done_once_in_the_order_of_asking()
    {
        var (first, second) = (MessageId.New(), MessageId.New());
        _store.Write(transaction =>
        {
            transaction.AddResend(_client, _device, first);
            transaction.AddResend(_client, _device, second);
            transaction.AddResend(_client, _device, first);
        });

        Assert.Equal(
            [new ResendTask(_client, _device, first), new ResendTask(_client, _device, second)],
            _store.Read(static transaction => transaction.ListResends()));
        _store.Write(transaction => transaction.RemoveResend(_client, _device, first));
        Assert.Equal([new ResendTask(_client, _device, second)], _store.Read(static transaction => transaction.ListResends()));
    }

    [Fact]
    public void Answers_due_and_times_of_asking_do_not_touch_each_other()
    {
        _store.Write(transaction =>
        {
            Assert.Null(transaction.GetAskedAt(_client, _device));
            transaction.SetAnswerDue(_client, _device, due: true);
            Assert.Null(transaction.GetAskedAt(_client, _device));
            transaction.SetAskedAt(_client, _device, At);
            transaction.SetAskedAt(_client, DeviceId.New(), At.AddDays(1));
        });

        Assert.Equal([(_client, _device)], _store.Read(static transaction => transaction.ListAnswersDue()));
        Assert.Equal(At, _store.Read(transaction => transaction.GetAskedAt(_client, _device)));
        _store.Write(transaction => transaction.SetAnswerDue(_client, _device, due: false));
        Assert.Empty(_store.Read(static transaction => transaction.ListAnswersDue()));
        Assert.Equal(At, _store.Read(transaction => transaction.GetAskedAt(_client, _device)));
    }

    private static void AssertUnusable(Action action) =>
        Assert.Equal(MessagingFailure.StoreUnusable, Assert.Throws<MessagingException>(action).Failure);

    private void Execute(string sql, byte[] tag)
    {
        using var connection = new SqliteConnection($"Data Source={_store.Path}");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("$tag", tag);
        Assert.Equal(1, command.ExecuteNonQuery());
    }
}
