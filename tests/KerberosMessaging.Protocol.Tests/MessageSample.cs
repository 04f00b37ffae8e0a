using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Protocol.Tests;

/// <summary>One message of a code, and how that code's payloads are read.</summary>
internal sealed record MessageSample(IWireMessage Message, Func<ReadOnlyMemory<byte>, IWireMessage> Read)
{
    private static readonly ClientId Client = new(Id(0x10));
    private static readonly DeviceId Laptop = new(Id(0x30));
    private static readonly DeviceId Phone = new(Id(0x40));
    private static readonly ServerId Server = new(Id(0x50));
    private static readonly SessionId Session = new(Id(0x60));
    private static readonly MessageId Message1 = new(Id(0x70));
    private static readonly BlobId Blob = new(Id(0x80));
    private static readonly DateTimeOffset Time = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);
    private static readonly Stretching Argon2id = new(1, 3, 65536);
    private static readonly Stretching Pbkdf2 = new(2, 600_000, 0);
    private static readonly byte[] RatchetEnvelope = [2, 2, 0, 96, .. Bytes(0, 96 + 16 + 32)];

    private static readonly ServerKeys Keys = new(
        Bytes(24, 32),
        [new VersionedKey(3, Bytes(23, 32)), new VersionedKey(4, Bytes(25, 32))],
        [new VersionedKey(2, Bytes(26, 32))]);

    private static readonly OneTimePrekey X25519Prekey = new(OneTimePrekeyKind.X25519, 7, Bytes(0x42, 32));
    private static readonly OneTimePrekey MlKem768Prekey = new(OneTimePrekeyKind.MlKem768, 8, Bytes(0x43, 1248));

    private static readonly byte[] PrekeyEnvelope =
    [
        2, 1, .. Bytes(0, 64), 0, 0, 0, 7, 0, 0, 0, 11, 2, 0, 0, 0, 9, .. Bytes(0x20, 32), .. Bytes(0x55, 1088), 0, 5, .. Bytes(0xC0, 5),
        0, 96, .. Bytes(0x80, 96 + 16 + 32),
    ];

    /// <summary>The messages that the golden files hold.</summary>
    public static IReadOnlyDictionary<MessageCode, MessageSample> All { get; } = new[]
    {
        Of(new ClientHello(Bytes(1, 32), Bytes(0x21, 1216))),
        Of(new ServerHello(Bytes(2, 32), Bytes(0x22, 1120), Session, Server, Time, Bytes(0xA0, 32), Bytes(0xB0, 64))),
        Of(new Bundle([
            new BundledFrame(MessageCode.Done, 5, []),
            new BundledFrame(MessageCode.Notice, 0, [0, 3, 0, 0, 3, 0xE8])])),
        Of(new RegisterClientRequest("alice", "one-time", Bytes(3, 32))),
        Of(new RegisterServerRequest("one-time", "mail-1", "mail.example", 4711, Bytes(4, 32), Bytes(5, 64))),
        Of(new ListServersRequest()),
        Of(new ServiceTicketRequest(Bytes(5, 20), Bytes(6, 19), Server)),
        Of(new PresentTicketRequest(Bytes(7, 20), Bytes(8, 19))),
        Of(new SendMessageRequest(
            Message1,
            Client,
            3600,
            DeliveryKind.Durable,
            [new DeviceEnvelope(Laptop, RatchetEnvelope), new DeviceEnvelope(Phone, PrekeyEnvelope)],
            [new DeviceId(Id(0x41)), new DeviceId(Id(0x42))])),
        Of(new FinishRegistrationRequest("alice", Bytes(9, 192), Argon2id)),
        Of(new StartLoginRequest("zoë", Bytes(10, 96))),
        Of(new FinishLoginRequest(Bytes(11, 64), Laptop, "laptop", Bytes(12, 64), Bytes(13, 64))),
        Of(new LookUpClientRequest("bob")),
        Of(new RenewTicketRequest(Bytes(14, 20), Bytes(15, 19))),
        Of(new LogoutRequest(true)),
        Of(new UploadPrekeysRequest(Bytes(16, 30), 7, [X25519Prekey, MlKem768Prekey, X25519Prekey with { Id = 0x01020304, Key = Bytes(0x44, 32) }])),
        Of(new FetchPrekeysRequest(Client, [Laptop, Phone])),
        Of(new AcknowledgeRequest([new SequenceRange(1, 5), new SequenceRange(8, long.MaxValue)], 32)),
        Of(new GrantCreditRequest(64)),
        Of(new StartPasswordChangeRequest(Bytes(31, 96), Bytes(32, 32))),
        Of(new FinishPasswordChangeRequest(Bytes(33, 64), Bytes(34, 192), Argon2id, Bytes(35, 20), true)),
        Of(new ListDevicesRequest()),
        Of(new RenameDeviceRequest(Laptop, "Büro")),
        Of(new RemoveDeviceRequest(Phone)),
        Of(new AuthenticateServerRequest(Server, "mail-1", "mail.example", 4711, Bytes(36, 64))),
        Of(new SubscribeRevocationsRequest(41)),
        Of(new FetchServerKeysRequest()),
        Of(new ConfirmServerKeysRequest(4, 2)),
        Of(new FetchPreviousKeysRequest(Bytes(40, 64))),
        Of(new PrekeyStatusRequest()),
        Of(new LinkDeviceRequest(Phone, Bytes(45, 97))),
        Of(new StartBlobRequest(Blob, 0x0102030405060708, Bytes(42, 32), 3600)),
        Of(new WriteBlobRequest(Blob, 0x0102030405060708, Bytes(43, 20))),
        Of(new ReadBlobRequest(Blob, 0x0102030405060708, 65_600)),
        Of(new DeleteBlobRequest(Blob)),
        Of(new PingRequest()),
        Of(new ClientRegistered(Client)),
        Of(new RegistrationRefused(RegistrationRefusal.NameTaken)),
        Of(new ServerList(
        [
            new ServerEntry(Server, "mail-1", "mail.example", 4711, Bytes(17, 32)),
            new ServerEntry(new ServerId(Id(0x51)), "", "192.0.2.7", 65535, Bytes(18, 32)),
        ])),
        Of(new ServiceTicketReply(Bytes(19, 20), Bytes(20, 19))),
        Of(new TicketAccepted(Bytes(21, 19))),
        Of(new MessageAccepted(Time)),
        Of(new ErrorReply(ProtocolError.QuotaExceeded, 60_000)),
        Of(new RegistrationChallenge(Bytes(22, 64), Pbkdf2, 8)),
        Of(new ServerRegistered(Server, Keys)),
        Of(new LoginChallenge(Argon2id, Bytes(25, 320))),
        Of(new TicketGranted(Bytes(26, 20), Bytes(27, 19))),
        Of(new ClientFound(Client, "bob", Server, [new FoundDevice(Bytes(28, 9), Bytes(46, 97)), new FoundDevice(Bytes(29, 11), [])])),
        Of(new Done()),
        Of(new PrekeysReply(
            [new DevicePrekeyBundle(Laptop, Bytes(30, 7), [X25519Prekey, MlKem768Prekey]), new DevicePrekeyBundle(Phone, [], [])])),
        Of(new DevicesMismatched([Laptop], [Phone, new DeviceId(Id(0x41))])),
        Of(new CreditGranted(0x0102030405060708)),
        Of(new PasswordChangeChallenge(Argon2id, Bytes(37, 320), Bytes(38, 64), Pbkdf2, 10, Bytes(39, 20))),
        Of(new OwnDevices(
        [
            new OwnDevice(Laptop, "laptop", 42, Time, Time.AddHours(1)),
            new OwnDevice(Phone, "", 43, Time.AddHours(1), Time.AddHours(1)),
        ])),
        Of(Keys),
        Of(new RevocationsSubscribed(0x0102030405060708)),
        Of(new PreviousKeysReply(Bytes(41, 20))),
        Of(new PrekeyStatus(new OneTimePrekeyStock(200, 0x01020304, 0), new OneTimePrekeyStock(0, 8, 0x0102030405060708))),
        Of(new BlobState(0x0102030405060708, true, Time)),
        Of(new BlobData(0x1112131415161718, 0x0102030405060708, Bytes(44, 20))),
        Of(new Deliver(42, Message1, Client, Laptop, "alice", Time, RatchetEnvelope)),
        Of(new Notice(NoticeKind.ShuttingDown, 5000)),
        Of(new Revocations(
        [
            new Revocation(42, RevocationKind.Session, Client, Laptop, Session, Time),
            new Revocation(43, RevocationKind.Device, Client, Phone, default, Time.AddHours(1)),
            new Revocation(0x0102030405060708, RevocationKind.Client, new ClientId(Id(0x11)), default, default, Time.AddHours(1)),
        ])),
        Of(new ServerKeysChanged()),
        Of(new PrekeysLow(new OneTimePrekeyStock(19, 0x01020304, 0), new OneTimePrekeyStock(0, 8, 0x0102030405060708))),
        Of(new AreYouThere()),
    }.ToDictionary(sample => sample.Message.FrameCode);

    /// <summary>The codes, for theories.</summary>
    public static TheoryData<MessageCode> Codes => [.. All.Keys];

    /// <summary>So many bytes, each one more than the last, so that no two fields look alike.</summary>
    public static byte[] Bytes(int first, int count) => [.. Enumerable.Range(first, count).Select(value => (byte)value)];

    private static Guid Id(int first) => new(Bytes(first, 16), bigEndian: true);

    private static MessageSample Of<T>(T message)
        where T : IWireMessage<T> => new(message, static payload => WireReader.ReadWhole<T>(payload.Span));
}
