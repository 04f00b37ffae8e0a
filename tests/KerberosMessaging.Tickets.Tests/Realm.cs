using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets.Tests;

/// <summary>The keys of a realm and what it would put into its tickets.</summary>
internal static class Realm
{
    public static readonly DateTimeOffset Now = new(2026, 3, 4, 5, 6, 7, 890, TimeSpan.Zero);
    public static readonly Ed25519PrivateKey SigningKey = Ed25519PrivateKey.Generate();
    public static readonly SecretBytes TicketKey = SecretBytes.Random(64);
    public static readonly SecretBytes ServiceKey = SecretBytes.Random(ServiceTicket.ServiceKeySize);
    public static readonly ServerId Server = ServerId.New();
    public static readonly byte[] ChannelBinding = [.. Enumerable.Range(100, 32).Select(value => (byte)value)];

    public static ReadOnlySpan<byte> PublicKey => SigningKey.PublicKey.Span;

    public static TicketTimes Times { get; } = new(Now, Now, Now.AddHours(10), Now.AddDays(7));

    public static TicketBody NewBody() => new()
    {
        Session = SessionId.New(),
        Client = ClientId.New(),
        ClientName = "alice",
        Device = DeviceId.New(),
        SessionKey = SessionKey.New(),
        Times = Times,
    };

    public static byte[] Grant(TicketBody body) => TicketGrantingTicket.Seal(body, TicketKey.Span, 3);

    public static byte[] Issue(TicketBody body) => ServiceTicket.Seal(body, Server, ServiceKey.Span, 7, SigningKey, 5);

    /// <summary>Opens a ticket as the message server that it is for.</summary>
    public static TicketBody? Open(ReadOnlySpan<byte> serviceTicket) =>
        ServiceTicket.TryOpen(serviceTicket, Server, version => version == 7 ? ServiceKey : null, SigningKeyOf);

    /// <summary>The ticket-signing public key of a version, of which there is one.</summary>
    public static byte[]? SigningKeyOf(uint version) => version == 5 ? PublicKey.ToArray() : null;
}
