using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>A ticket-granting ticket as its client holds it.</summary>
internal sealed record TestTicket(byte[] Bytes, AsReplyPart Part)
{
    public SecretBytes SessionKey => Part.SessionKey;

    /// <summary>The three requests that a ticket-granting ticket goes with.</summary>
    public static IReadOnlyList<MessageCode> Requests { get; } =
        [MessageCode.RequestServiceTicket, MessageCode.PresentTicket, MessageCode.RenewTicket];

    /// <summary>A fresh authenticator for one request on one channel.</summary>
    public byte[] Authenticate(TestClient client, MessageCode request) =>
        Authenticator.For(client.ChannelBinding.Span).Seal(SessionKey, request);

    /// <summary>One of the three requests, with an authenticator that may have been made for something else.</summary>
    public IWireMessage Request(TestClient client, MessageCode code, byte[]? authenticator = null, ServerId server = default)
    {
        authenticator ??= Authenticate(client, code);
        return code switch
        {
            MessageCode.RequestServiceTicket => new ServiceTicketRequest(Bytes, authenticator, server),
            MessageCode.PresentTicket => new PresentTicketRequest(Bytes, authenticator),
            MessageCode.RenewTicket => new RenewTicketRequest(Bytes, authenticator),
            _ => throw new ArgumentOutOfRangeException(nameof(code)),
        };
    }

    /// <summary>What a thief of the realm's ticket key alone can make: the ticket with other contents.</summary>
    public TestTicket Forge(
        RealmKeys keys,
        SessionId? session = null,
        ClientId? client = null,
        DeviceId? device = null,
        TicketTimes? times = null)
    {
        using var body = TicketGrantingTicket.TryOpen(Bytes, keys.TicketKey.Key.Span)!;
        using var forged = new TicketBody
        {
            Session = session ?? body.Session,
            Client = client ?? body.Client,
            ClientName = body.ClientName,
            Device = device ?? body.Device,
            SessionKey = body.SessionKey.Clone(),
            Times = times ?? body.Times,
        };
        return this with { Bytes = TicketGrantingTicket.Seal(forged, keys.TicketKey.Key.Span, keys.TicketKey.Version) };
    }
}
