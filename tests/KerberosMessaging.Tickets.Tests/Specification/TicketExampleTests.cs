using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Tests;

namespace KerberosMessaging.Tickets.Tests.Specification;

/// <summary>The worked examples of docs/protocol.md, sections 13.4 to 13.6, are what the code does.</summary>
public sealed class TicketExampleTests
{
    private static readonly DateTimeOffset Login = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);
    private static readonly ServerId Server = new(Id(0x50));
    private static readonly byte[] Nonce = Bytes(0xF0, 32);
    private static readonly SecretBytes SessionKey = new(Bytes(0xA0, 32));
    private static readonly SecretBytes ServiceSessionKey = new(Bytes(0xB0, 32));
    private static readonly TicketTimes Times = new(Login, Login, Login.AddHours(10), Login.AddDays(7));

    private static readonly TicketTimes ServiceTimes =
        new(Login, Login.AddHours(1), Login.AddHours(1).AddMinutes(10), Login.AddHours(1).AddMinutes(10));

    [Fact]
    public void The_ticket_granting_ticket_opens_to_the_stated_body()
    {
        var derived = new byte[AuthenticatedCbc.KeySize];
        TicketKeys.Derive(Example("ticket-key"), TicketKeys.TicketGrantingTicket, [], derived);
        using var body = TicketGrantingTicket.TryOpen(Example("ticket-granting-ticket"), Example("ticket-key"));

        Assert.Equal(Example("ticket-key-derived"), derived);
        Assert.True(TicketGrantingTicket.TryReadKeyVersion(Example("ticket-granting-ticket"), out var version));
        Assert.Equal(3u, version);
        AssertSays(body, SessionKey, Times);
        AssertPlaintext("ticket-body", Example("ticket-key"), TicketKeys.TicketGrantingTicket, Example("ticket-granting-ticket")[5..], Example("ticket-granting-ticket")[..5]);
    }

    [Fact]
    public void The_service_ticket_opens_at_its_server()
    {
        using var serviceKey = new SecretBytes(Example("service-key"));
        using var body = ServiceTicket.TryOpen(
            Example("service-ticket"),
            Server,
            version => version == 7 ? serviceKey : null,
            version => version == 2 ? Example("ticket-signing-key") : null);
        using var signingKey = Ed25519PrivateKey.FromSeed(Example("ticket-signing-seed"));

        AssertSays(body, ServiceSessionKey, ServiceTimes);
        Assert.Equal(Example("ticket-signing-key"), signingKey.PublicKey.ToArray());
    }

    [Fact]
    public void The_AS_reply_part_opens_with_the_OPAQUE_session_key()
    {
        using var key = new SecretBytes(Bytes(0x05, 64));
        using var part = AsReplyPart.TryOpen(Example("as-reply"), key, Example("ticket-granting-ticket"));

        Assert.NotNull(part);
        Assert.Equal(SessionKey.Span.ToArray(), part.SessionKey.Span.ToArray());
        Assert.Equal(Id(0x80), part.Session.Value);
        Assert.Equal(Id(0x10), part.Client.Value);
        Assert.Equal("alice", part.ClientName);
        Assert.Equal(Login, part.ServerTime);
        Assert.Equal(Times, part.Times);
        Assert.Equal(Example("device-certificate"), part.Certificate);
        Assert.True(part.WantsNewRecord);
        AssertPlaintext("as-reply-plaintext", key.Span, TicketKeys.AsReply, Example("as-reply"), Example("ticket-granting-ticket"));
    }

    [Fact]
    public void The_previous_keys_open_with_the_export_key()
    {
        using var exportKey = new SecretBytes(Bytes(0x25, 64));
        using var opened = PreviousKeys.TryOpen(Example("previous-keys"), exportKey);

        Assert.NotNull(opened);
        Assert.Equal(Bytes(0x65, 64), Assert.Single(opened.Keys).Span.ToArray());
    }

    [Fact]
    public void The_TGS_reply_part_opens_with_the_session_key()
    {
        using var part = TgsReplyPart.TryOpen(Example("tgs-reply"), SessionKey, Example("service-ticket"));

        Assert.NotNull(part);
        Assert.Equal(ServiceSessionKey.Span.ToArray(), part.SessionKey.Span.ToArray());
        Assert.Equal(Server, part.Server);
        Assert.Equal(Login.AddHours(1), part.ServerTime);
        Assert.Equal(ServiceTimes, part.Times);
        AssertPlaintext("tgs-reply-plaintext", SessionKey.Span, TicketKeys.TgsReply, Example("tgs-reply"), Example("service-ticket"));
    }

    [Fact]
    public void The_authenticator_opens_on_the_channel_of_the_handshake()
    {
        var opened = Authenticator.TryOpen(
            Example("authenticator"), ServiceSessionKey, MessageCode.PresentTicket, Example("channel-binding"));

        Assert.Equal(Nonce, opened?.Nonce);
        AssertPlaintext("authenticator-plaintext", ServiceSessionKey.Span, TicketKeys.Authenticator, Example("authenticator"), [1028 >> 8, 1028 & 0xFF]);
    }

    [Fact]
    public void The_AP_reply_part_opens_with_the_session_key_and_the_channel_key_follows()
    {
        var part = ApReplyPart.TryOpen(Example("ap-reply"), ServiceSessionKey, Nonce);
        using var mixKey = Tickets.SessionKey.ForChannel(ServiceSessionKey, Nonce);

        Assert.Equal(Login.AddHours(1).AddSeconds(1), part?.ServerTime);
        Assert.Equal(ServiceTimes.EndsAt, part?.EndsAt);
        Assert.Equal(Example("channel-mix-key"), mixKey.Span.ToArray());
        AssertPlaintext("ap-reply-plaintext", ServiceSessionKey.Span, TicketKeys.ApReply, Example("ap-reply"), []);
    }

    [Fact]
    public void The_certificate_is_the_one_that_the_realm_key_makes()
    {
        using var realmKey = Ed25519PrivateKey.FromSeed(Example("realm-seed"));
        var identity = Example("alice-identity");

        var certificate = new DeviceCertificate(
            new ClientId(Id(0x10)), "alice", new DeviceId(Id(0x30)), identity[..32], identity[32..], 42, Login);

        Assert.Equal(Example("device-certificate"), certificate.Sign(realmKey));
        Assert.NotNull(DeviceCertificate.TryRead(Example("device-certificate"), Example("realm-key")));
    }

    [Fact]
    public void The_link_is_the_one_that_the_account_key_makes()
    {
        using var accountKey = Ed25519PrivateKey.FromSeed(Example("account-seed"));
        var (client, device, identity) = (new ClientId(Id(0x10)), new DeviceId(Id(0x30)), Example("alice-identity"));

        Assert.Equal(Example("device-link"), DeviceLink.Sign(accountKey, client, device, identity));
        Assert.Equal(Example("device-link")[33..], accountKey.Sign(Example("device-link-signed-bytes")));
        Assert.True(DeviceLink.TryVerify(Example("device-link"), client, device, identity, out var signer));
        Assert.Equal(Example("account-key"), signer);
    }

    [Fact]
    public void The_login_is_bound_to_channel_and_device_as_stated()
    {
        using var device = Ed25519PrivateKey.FromSeed(Example("alice-signing-seed"));
        var signed = LoginProof.DeviceSignedBytes(
            Example("channel-binding"), Bytes(0x15, 64), new DeviceId(Id(0x30)), Example("alice-identity"));

        Assert.Equal(Example("opaque-context"), LoginProof.OpaqueContext(Example("channel-binding")));
        Assert.Equal(Example("device-signed-bytes"), signed);
        Assert.Equal(Example("device-signature"), device.Sign(signed));
    }

    [Fact]
    public void A_message_server_proves_its_key_as_stated()
    {
        using var key = Ed25519PrivateKey.FromSeed(Example("server-seed"));
        var enrolment = ServerProof.EnrolmentSignedBytes(Example("channel-binding"), "one-time");
        var authentication = ServerProof.AuthenticationSignedBytes(Example("channel-binding"), Server, "mail-1", "mail.example", 4711);

        Assert.Equal(Example("server-key"), key.PublicKey.ToArray());
        Assert.Equal(Example("enrolment-signed-bytes"), enrolment);
        Assert.Equal(Example("enrolment-signature"), key.Sign(enrolment));
        Assert.Equal(Example("authentication-signed-bytes"), authentication);
        Assert.Equal(Example("authentication-signature"), key.Sign(authentication));
    }

    private static byte[] Example(string name) => SpecificationDocument.Example(name);

    private static byte[] Bytes(int first, int count) => [.. Enumerable.Range(first, count).Select(value => (byte)value)];

    private static Guid Id(int first) => new(Bytes(first, 16), bigEndian: true);

    private static void AssertSays(TicketBody? body, SecretBytes sessionKey, TicketTimes times)
    {
        Assert.NotNull(body);
        Assert.Equal(Id(0x80), body.Session.Value);
        Assert.Equal(Id(0x10), body.Client.Value);
        Assert.Equal("alice", body.ClientName);
        Assert.Equal(Id(0x30), body.Device.Value);
        Assert.Equal(sessionKey.Span.ToArray(), body.SessionKey.Span.ToArray());
        Assert.Equal(times, body.Times);
    }

    private static void AssertPlaintext(string name, ReadOnlySpan<byte> key, string label, byte[] sealedBytes, byte[] associatedData)
    {
        var plaintext = new byte[sealedBytes.Length];
        Assert.True(TicketKeys.TryOpen(key, label, sealedBytes, associatedData, plaintext, out var written));
        Assert.Equal(Example(name), plaintext[..written]);
    }
}
