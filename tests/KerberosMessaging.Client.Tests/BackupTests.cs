using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Client.Backups;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Tests;

/// <summary>What a backup holds, and that nothing but what was written is ever read from one.</summary>
public sealed class BackupTests : IDisposable
{
    private const string Text = "what nobody else may read";

    private static readonly DateTimeOffset At = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly SecretBytes _outerKey = SecretBytes.Random(64);
    private readonly SecretBytes _passphrase = Password.FromCharacters("a passphrase of its own");
    private readonly SecretBytes _key = SecretBytes.Random(AuthenticatedCbc.KeySize);
    private readonly BackupOwner _owner = new(ClientId.New(), "alice", RandomNumberGenerator.GetBytes(32));
    private readonly ClientId _client = ClientId.New();
    private readonly DeviceId _device = DeviceId.New();
    private readonly byte[] _accountKey = RandomNumberGenerator.GetBytes(32);
    private readonly byte[] _link = RandomNumberGenerator.GetBytes(97);
    private readonly byte[] _pinned = RandomNumberGenerator.GetBytes(32);

    private string BackupPath => _folder.File("alice.backup");

    public void Dispose()
    {
        _key.Dispose();
        _passphrase.Dispose();
        _outerKey.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void All_that_a_backup_holds_comes_back_and_nothing_else()
    {
        using var store = Filled();
        BackupFile.Create(BackupPath, store, _owner, _passphrase, CancellationToken.None);

        using var restored = MakeStore("restored.db");
        BackupFile.Read(BackupPath, _passphrase, reader => LoadInto(restored, reader));

        Assert.Equal(store.Read(DeviceKeys.Device), restored.Read(DeviceKeys.Device));
        using var identity = store.Read(DeviceKeys.Identity);
        using var sameIdentity = restored.Read(DeviceKeys.Identity);
        Assert.Equal(identity.Public, sameIdentity.Public);
        Assert.Equal(
            ["account key", "device", "identity", "restored", "store key"],
            restored.Read(static transaction => transaction.ListSettings("")));
        restored.Read(transaction =>
        {
            using var accountKey = transaction.GetSetting("account key");
            Assert.Equal(_accountKey, accountKey?.Span.ToArray());
            using var flag = transaction.GetSetting("restored");
            Assert.Equal([1], flag?.Span.ToArray());

            Assert.Equal([(_client, "bob-nobody-knows")], transaction.ListContacts());
            var key = transaction.GetContactKey(_client);
            Assert.Equal(_pinned, key.Pinned);
            Assert.Empty(key.Seen);
            Assert.True(key.IsVerified);
            Assert.Null(transaction.GetRoute(_client));

            var device = Assert.Single(transaction.ListDevices(_client));
            Assert.Equal(_device, device.Device);
            Assert.Equal(_link, device.Link);
            Assert.True(device.IsAccepted);
            Assert.False(device.IsListed);
            Assert.Equal(At, device.FirstSeenAt);
            using var sessions = transaction.GetSessions(_client, _device);
            Assert.False(sessions.HasSession);
            Assert.Empty(transaction.ListOutbox());
            return 0;
        });
        Assert.Equal(Describe(store), Describe(restored));
    }

    [Fact]
    public void An_empty_history_is_backed_up_too()
    {
        using var store = MakeStore("store.db");
        store.Write(static transaction => DeviceKeys.Ensure(transaction, DateTimeOffset.UnixEpoch));
        BackupFile.Create(BackupPath, store, _owner, _passphrase, CancellationToken.None);

        using var restored = MakeStore("restored.db");
        BackupFile.Read(BackupPath, _passphrase, reader => LoadInto(restored, reader));

        Assert.Equal(store.Read(DeviceKeys.Device), restored.Read(DeviceKeys.Device));
        Assert.Empty(restored.Read(static transaction => transaction.ListMessages(null, null, 10)));
    }

    [Fact]
    public void Prekeys_are_made_anew_for_a_restored_device()
    {
        using var store = Filled();
        BackupFile.Create(BackupPath, store, _owner, _passphrase, CancellationToken.None);
        using var restored = MakeStore("restored.db");
        BackupFile.Read(BackupPath, _passphrase, reader => LoadInto(restored, reader));

        restored.Write(static transaction => DeviceKeys.Ensure(transaction, DateTimeOffset.UnixEpoch));

        using var identity = store.Read(DeviceKeys.Identity);
        using var before = store.Read(DeviceKeys.Prekeys);
        using var after = restored.Read(DeviceKeys.Prekeys);
        Assert.True(after.Bundle.IsSignedBy(identity.Public));
        Assert.NotEqual(before.Bundle.ToBytes(), after.Bundle.ToBytes());
    }

    [Fact]
    public void Nothing_of_it_can_be_read_in_the_file()
    {
        using var store = Filled();
        BackupFile.Create(BackupPath, store, _owner, _passphrase, CancellationToken.None);

        using var identity = store.Read(DeviceKeys.Identity);
        using var exported = identity.Export();
        var bytes = File.ReadAllBytes(BackupPath);
        Assert.Equal(0, bytes.AsSpan().IndexOf("kmsg/25 backup\0"u8));
        foreach (var secret in new[]
        {
            Encoding.UTF8.GetBytes(Text),
            "bob-nobody-knows"u8.ToArray(),
            "alice"u8.ToArray(),
            _accountKey,
            _pinned,
            exported.Span[1..33].ToArray(),
            exported.Span[33..].ToArray(),
            _client.Value.ToByteArray(bigEndian: true),
            _owner.RealmKey,
        })
        {
            Assert.Equal(-1, bytes.AsSpan().IndexOf(secret));
        }
    }

    [Fact]
    public void The_file_is_its_owners_alone_and_replaces_none()
    {
        using var store = Filled();
        BackupFile.Create(BackupPath, store, _owner, _passphrase, CancellationToken.None);
        var bytes = File.ReadAllBytes(BackupPath);

        AssertUnusable(() => BackupFile.Create(BackupPath, store, _owner, _passphrase, CancellationToken.None));

        Assert.Equal(bytes, File.ReadAllBytes(BackupPath));
        Assert.Equal(["alice.backup"], FilesBeside("store.db"));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(BackupPath));
        }
    }

    [Fact]
    public void What_fails_or_is_cancelled_leaves_no_file()
    {
        using var store = Filled();

        AssertUnusable(() => BackupFile.Create(_folder.File("nowhere/alice.backup"), store, _owner, _passphrase, CancellationToken.None));
        Assert.Throws<OperationCanceledException>(
            () => BackupFile.Create(BackupPath, store, _owner, _passphrase, new CancellationToken(canceled: true)));

        Assert.Empty(FilesBeside("store.db"));
    }

    [Fact]
    public void What_a_crash_left_beside_it_is_in_nobodys_way()
    {
        using var store = Filled();
        File.WriteAllBytes($"{BackupPath}.{Guid.NewGuid():N}.partial", [1, 2, 3]);

        BackupFile.Create(BackupPath, store, _owner, _passphrase, CancellationToken.None);

        using var restored = MakeStore("restored.db");
        BackupFile.Read(BackupPath, _passphrase, reader => LoadInto(restored, reader));
        Assert.Equal(Describe(store), Describe(restored));
    }

    [Fact]
    public void Another_passphrase_and_no_file_at_all_open_nothing()
    {
        using var store = Filled();
        BackupFile.Create(BackupPath, store, _owner, _passphrase, CancellationToken.None);
        using var wrong = Password.FromCharacters("a passphrase of its owN");

        AssertUnusable(() => BackupFile.Read(BackupPath, wrong, static reader => BackupContent.LoadOwner(reader)));
        AssertUnusable(() => BackupFile.Read(_folder.File("none"), _passphrase, static reader => BackupContent.LoadOwner(reader)));
        AssertUnusable(() => BackupFile.Read(Path.GetDirectoryName(BackupPath)!, _passphrase, static _ => { }));
    }

    [Fact]
    public void Two_backups_of_one_store_under_one_passphrase_have_salts_of_their_own()
    {
        var one = BackupFormat.NewHeader(StretchingParameters.Default);
        var other = BackupFormat.NewHeader(StretchingParameters.Default);

        Assert.Equal(one[..25], other[..25]);
        Assert.NotEqual(one[25..], other[25..]);
    }

    [Fact]
    public void A_changed_byte_of_the_header_is_refused()
    {
        using var store = Filled();
        BackupFile.Create(BackupPath, store, _owner, _passphrase, CancellationToken.None);
        var intact = File.ReadAllBytes(BackupPath);

        for (var at = 0; at < BackupFormat.HeaderSize; at++)
        {
            var bytes = intact.ToArray();
            bytes[at] ^= 1;
            File.WriteAllBytes(BackupPath, bytes);
            AssertUnusable(() => BackupFile.Read(BackupPath, _passphrase, static reader => BackupContent.LoadOwner(reader)));
        }

        File.WriteAllBytes(BackupPath, intact);
        BackupFile.Read(BackupPath, _passphrase, static reader => BackupContent.LoadOwner(reader));
    }

    [Theory]
    [InlineData(1, 3, 4 * 1024 * 1024)]
    [InlineData(1, uint.MaxValue, 64 * 1024)]
    [InlineData(1, 1, 64 * 1024)]
    [InlineData(1, 3, 8)]
    [InlineData(0, 3, 64 * 1024)]
    [InlineData(99, 3, 64 * 1024)]
    [InlineData(2, 2_000_000_000, 0)]
    public void Stretching_that_is_ruinous_or_weak_is_refused_before_it_is_done(byte algorithm, uint iterations, uint memoryKiB)
    {
        var header = BackupFormat.NewHeader(StretchingParameters.Default);
        header[16] = algorithm;
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(17), iterations);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(21), memoryKiB);
        File.WriteAllBytes(BackupPath, header);

        var e = AssertUnusable(() => BackupFile.Read(BackupPath, _passphrase, static _ => { }));
        Assert.Contains("stretching", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_newer_version_and_what_is_no_backup_are_told_apart()
    {
        var header = BackupFormat.NewHeader(StretchingParameters.Default);
        header[15] = 2;
        File.WriteAllBytes(BackupPath, header);
        var newer = AssertUnusable(() => BackupFile.Read(BackupPath, _passphrase, static _ => { }));
        File.WriteAllText(BackupPath, "no backup");
        var none = AssertUnusable(() => BackupFile.Read(BackupPath, _passphrase, static _ => { }));

        Assert.Contains("newer", newer.Message, StringComparison.Ordinal);
        Assert.Contains("no backup", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_changed_byte_of_the_chunks_is_refused()
    {
        var bytes = Write([(BackupTag.Owner, [1, 2, 3]), (BackupTag.Setting, new byte[200])]);
        Assert.Equal(2, Read(bytes).Count);

        for (var at = 0; at < bytes.Length; at++)
        {
            bytes[at] ^= 0x10;
            Assert.Throws<BackupException>(() => Read(bytes));
            bytes[at] ^= 0x10;
        }
    }

    // The records fill up the chunks with no byte to spare, one byte less, one more, and over several chunks.
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData((64 * 1024) - 6, 1)]
    [InlineData((64 * 1024) - 5, 1)]
    [InlineData((64 * 1024) - 4, 2)]
    [InlineData((2 * 64 * 1024) - 5, 2)]
    [InlineData((2 * 64 * 1024) - 1, 3)]
    [InlineData(1024 * 1024, 17)]
    public void Records_come_back_whole_wherever_the_chunks_are_cut(int size, int chunks)
    {
        var body = RandomNumberGenerator.GetBytes(size);
        var bytes = Write([(BackupTag.Message, body)]);

        Assert.Equal(chunks, (bytes.Length + BackupFormat.SealedChunkSize - 1) / BackupFormat.SealedChunkSize);
        var (tag, read) = Assert.Single(Read(bytes));
        Assert.Equal(BackupTag.Message, tag);
        Assert.Equal(body, read);
    }

    [Fact]
    public void Chunks_that_are_missing_moved_doubled_or_of_another_backup_are_refused()
    {
        var records = Enumerable.Range(0, 10).Select(static i => (BackupTag.Message, RandomNumberGenerator.GetBytes(20_000 + i))).ToArray();
        var bytes = Write(records);
        var other = Write(records, RandomNumberGenerator.GetBytes(64));
        var chunks = bytes.Chunk(BackupFormat.SealedChunkSize).ToList();
        Assert.Equal(4, chunks.Count);
        Assert.Equal(10, Read(bytes).Count);

        for (var left = 0; left < chunks.Count; left++)
        {
            var kept = left;
            Assert.Throws<BackupException>(() => Read(Join(chunks.Take(kept))));
            Assert.Throws<BackupException>(() => Read(Join(chunks.Where((_, index) => index != kept))));
            Assert.Throws<BackupException>(() => Read(Join([.. chunks.Take(kept), chunks[kept][..^1]])));
            Assert.Throws<BackupException>(() => Read(Join([.. chunks.Take(kept), other.Chunk(BackupFormat.SealedChunkSize).ElementAt(kept), .. chunks.Skip(kept + 1)])));
        }

        Assert.Throws<BackupException>(() => Read(Join([chunks[1], chunks[0], chunks[2], chunks[3]])));
        Assert.Throws<BackupException>(() => Read(Join([.. chunks, chunks[3]])));
        Assert.Throws<BackupException>(() => Read([.. bytes, 0]));
        Assert.Throws<BackupException>(() => Read([]));
        Assert.Throws<BackupException>(() => Read(Join([chunks[0], chunks[1], chunks[1], chunks[2], chunks[3]])));

        static byte[] Join(IEnumerable<byte[]> parts) => [.. parts.SelectMany(static part => part)];
    }

    [Fact]
    public void A_record_that_is_larger_than_any_is_not_written()
    {
        using var writer = new BackupWriter(Stream.Null, _key);

        Assert.Throws<ArgumentException>(() => writer.Write(BackupTag.Message, new byte[BackupFormat.LargestBody + 1]));
    }

    public static TheoryData<string, byte[][]> WrongRecords()
    {
        var owner = new byte[] { 1 };
        byte[] unknownSetting = [2, 0, 7, .. "tickets"u8, 1];
        byte[] deviceOfFifteen = [2, 0, 6, .. "device"u8, .. new byte[15]];
        byte[] contact = [3, .. new byte[16], 0, 1, (byte)'a', 0, 0, 0, 0, 0];
        byte[] contactOfAnotherName = [3, .. new byte[16], 0, 1, (byte)'b', 0, 0, 0, 0, 0];
        byte[] contactWithShortKey = [3, .. new byte[16], 0, 1, (byte)'a', 0, 1, 9, 0, 0, 0];
        byte[] deviceWithShortLink = [4, .. new byte[96], 0, 1, 9, 0, 0, .. new byte[8]];
        return new TheoryData<string, byte[][]>
        {
            { "unknown tag", [[99]] },
            { "a second owner", [owner] },
            { "a setting that is in no backup", [unknownSetting] },
            { "no device", [] },
            { "a device id of another size", [deviceOfFifteen] },
            { "a contact twice", [contact, contact] },
            { "a client under two names", [contact, contactOfAnotherName] },
            { "a key of another size", [contactWithShortKey] },
            { "a link of another size", [deviceWithShortLink] },
        };
    }

    [Theory]
    [MemberData(nameof(WrongRecords))]
    public void Records_that_nobody_wrote_in_earnest_are_refused_whoever_sealed_them(string what, byte[][] records)
    {
        using var restored = MakeStore("restored.db");
        var bytes = Write([.. records.Select(static record => ((BackupTag)record[0], record[1..]))]);
        using var reader = new BackupReader(new MemoryStream(bytes), _key);

        Assert.Throws<BackupException>(() => restored.Write(transaction => BackupContent.Load(transaction, reader, CancellationToken.None)));

        Assert.True(restored.Read(static transaction => transaction.ListContacts()).Count == 0, what);
    }

    [Fact]
    public void Fields_that_are_none_are_refused()
    {
        // Random bytes under a key that is known: the fields' reader finds them malformed, or the restoring finds them wrong.
        var random = new Random(20261123);
        for (var i = 0; i < 200; i++)
        {
            using var restored = MakeStore($"restored-{i % 4}.db");
            var body = new byte[random.Next(200)];
            random.NextBytes(body);
            var bytes = Write([((BackupTag)random.Next(2, 8), body)]);
            using var reader = new BackupReader(new MemoryStream(bytes), _key);

            var e = Assert.ThrowsAny<Exception>(
                () => restored.Write(transaction => BackupContent.Load(transaction, reader, CancellationToken.None)));
            Assert.True(e is BackupException or ProtocolException, e.ToString());
        }
    }

    private static MessagingException AssertUnusable(Action action)
    {
        var e = Assert.Throws<MessagingException>(action);
        Assert.Equal(MessagingFailure.BackupUnusable, e.Failure);
        Assert.DoesNotContain('\n', e.Message);
        return e;
    }

    private static void LoadInto(LocalStore store, BackupReader reader)
    {
        BackupContent.LoadOwner(reader);
        store.Write(transaction => BackupContent.Load(transaction, reader, CancellationToken.None));
    }

    // Messages, what was received and what was sent, as text that can be compared.
    private static List<string> Describe(LocalStore store) => store.Read(static transaction =>
    {
        return transaction.AllMessages()
            .Select(static row => $"{row.Message with { Content = null }} {Hex(row.Message.Content)} {row.ReadAt:O}")
            .Concat(transaction.AllReceived().Select(static row => row.ToString()))
            .Concat(transaction.AllSent().Select(static sent =>
                $"{sent.Message} {sent.Recipient} {Hex(sent.Content)} {string.Join(' ', sent.Devices)} {sent.SentAt:O}"))
            .ToList();

        static string Hex(byte[]? bytes) => bytes is null ? "none" : Convert.ToHexString(bytes);
    });

    private LocalStore MakeStore(string name) => LocalStore.OpenOrCreate(_folder.File(name), _outerKey);

    private IEnumerable<string> FilesBeside(string store) => Directory.GetFiles(Path.GetDirectoryName(BackupPath)!)
        .Select(static file => Path.GetFileName(file))
        .Where(file => !file.StartsWith(store, StringComparison.Ordinal));

    private byte[] Write((BackupTag Tag, byte[] Body)[] records, byte[]? key = null)
    {
        using var chosen = new SecretBytes(key ?? _key.Span.ToArray());
        using var stream = new MemoryStream();
        using var writer = new BackupWriter(stream, chosen);
        foreach (var (tag, body) in records)
        {
            writer.Write(tag, body);
        }

        writer.Complete();
        return stream.ToArray();
    }

    private List<(BackupTag Tag, byte[] Body)> Read(byte[] bytes)
    {
        using var reader = new BackupReader(new MemoryStream(bytes), _key);
        var records = new List<(BackupTag, byte[])>();
        while (reader.TryRead(out var tag, out var body))
        {
            records.Add((tag, body.ToArray()));
        }

        return records;
    }

    private LocalStore Filled()
    {
        using var self = DeviceIdentity.Generate();
        using var peer = DeviceIdentity.Generate();
        using var prekeys = DevicePrekeys.Generate(peer, At);
        using var sessions = PeerSessions.Create();
        sessions.StartSession(self, [], peer.Public, prekeys.Bundle, null, null, At);
        var store = MakeStore("store.db");
        new TicketCache(store).Clear();
        store.Write(transaction =>
        {
            DeviceKeys.Ensure(transaction, At);
            transaction.SetSetting("account key", _accountKey);
            transaction.SetSetting("ticket of something", [1]);
            transaction.AddContact(_client, "bob-nobody-knows");
            transaction.SetContactKey(_client, new ContactKey(_pinned, [], IsVerified: true));
            transaction.SetRoute(_client, new ContactRoute(ServerId.New(), At));
            transaction.PutDevice(_client, new StoredDevice(_device, peer.Public, _link, IsAccepted: true, IsListed: false, At));
            transaction.SetSessions(_client, _device, sessions);
            transaction.PutInOutbox(new OutboxEntry(MessageId.New(), _client, null, [1], [2]));
            transaction.AddMessage(Message(Text));
            transaction.AddMessage(Message(null) with { Problem = MessageProblem.UntrustedSender });
            transaction.AddMessage(Message(new string('x', 100_000)) with { IsOutgoing = true });
            transaction.AddMessage(Message("unread"));
            transaction.MarkRead(transaction.NextUnread(0)!.Id, At.AddHours(1));
            transaction.AddReceived(_client, MessageId.New(), At);
            transaction.AddReceived(_client, MessageId.New(), At.AddDays(1));
            transaction.AddSent(new SentRecord(MessageId.New(), _client, Encoding.UTF8.GetBytes(Text), [_device, DeviceId.New()], At));
            transaction.AddSent(new SentRecord(MessageId.New(), _client, [1], [], At.AddDays(1)));
        });
        return store;
    }

    private NewMessage Message(string? text) => new(
        MessageId.New(),
        _client,
        IsOutgoing: false,
        _device,
        "bob-nobody-knows",
        At,
        text is null ? null : MessageContent.OfText(text, At).ToBytes(),
        MessageProblem.None);
}
