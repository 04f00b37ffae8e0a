using CsCheck;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets.Tests;

public sealed class ServiceTicketTests
{
    [Fact]
    public void What_was_sealed_is_what_opens() =>
        Gen.Select(BodyGen.Body, Gen.Byte.Array[32], Gen.UInt, Gen.UInt, Gen.Guid).Sample((body, key, version, signingVersion, server) =>
        {
            using var serviceKey = new SecretBytes(key);
            var ticket = ServiceTicket.Seal(body, new ServerId(server), key, version, Realm.SigningKey, signingVersion);
            using var opened = ServiceTicket.TryOpen(
                ticket,
                new ServerId(server),
                asked => asked == version ? serviceKey : null,
                asked => asked == signingVersion ? Realm.PublicKey.ToArray() : null);

            return BodyGen.AreSame(body, opened) && ticket.Length <= ProtocolLimits.TicketBytes;
        });

    [Fact]
    public void No_bit_of_a_ticket_can_change()
    {
        var ticket = Realm.Issue(Realm.NewBody());

        Assert.All(Flips.Of(ticket), changed => Assert.Null(
            ServiceTicket.TryOpen(changed, Realm.Server, _ => Realm.ServiceKey, AnySigningKey)));
    }

    [Fact]
    public void No_bit_of_what_is_sealed_can_change_even_if_the_realm_signs_it_again()
    {
        var ticket = Realm.Issue(Realm.NewBody());

        Assert.All(Flips.Of(ticket[..^64]), changed => Assert.Null(
            ServiceTicket.TryOpen(Sign(changed, Realm.SigningKey), Realm.Server, _ => Realm.ServiceKey, AnySigningKey)));
    }

    [Fact]
    public void A_ticket_of_another_length_is_no_ticket()
    {
        var ticket = Realm.Issue(Realm.NewBody());

        Assert.All(Flips.Lengths(ticket), changed => Assert.Null(Realm.Open(changed)));
    }

    [Fact]
    public void A_ticket_for_another_server_does_not_open()
    {
        var ticket = Realm.Issue(Realm.NewBody());

        Assert.NotNull(Realm.Open(ticket));
        Assert.Null(ServiceTicket.TryOpen(ticket, ServerId.New(), _ => Realm.ServiceKey, AnySigningKey));
    }

    [Fact]
    public void A_ticket_under_another_key_does_not_open()
    {
        using var other = SecretBytes.Random(ServiceTicket.ServiceKeySize);

        Assert.Null(ServiceTicket.TryOpen(Realm.Issue(Realm.NewBody()), Realm.Server, _ => other, Realm.SigningKeyOf));
    }

    [Fact]
    public void A_ticket_of_an_unknown_key_version_does_not_open()
    {
        var asked = new List<uint>();

        Assert.Null(ServiceTicket.TryOpen(
            Realm.Issue(Realm.NewBody()),
            Realm.Server,
            version =>
            {
                asked.Add(version);
                return null;
            },
            Realm.SigningKeyOf));
        Assert.Equal([7u], asked);
    }

    [Fact]
    public void A_ticket_signed_with_a_key_of_an_unknown_version_does_not_open()
    {
        var asked = new List<uint>();

        Assert.Null(ServiceTicket.TryOpen(
            Realm.Issue(Realm.NewBody()),
            Realm.Server,
            _ => throw new InvalidOperationException("asked for"),
            version =>
            {
                asked.Add(version);
                return null;
            }));
        Assert.Equal([5u], asked);
    }

    [Fact]
    public void A_ticket_opens_with_the_signing_key_of_its_version_alone()
    {
        using var next = Ed25519PrivateKey.Generate();
        var byNext = ServiceTicket.Seal(Realm.NewBody(), Realm.Server, Realm.ServiceKey.Span, 7, next, 6);
        byte[]? Both(uint version) => version == 6 ? next.PublicKey.ToArray() : Realm.SigningKeyOf(version);

        Assert.NotNull(ServiceTicket.TryOpen(byNext, Realm.Server, _ => Realm.ServiceKey, Both));
        Assert.NotNull(ServiceTicket.TryOpen(Realm.Issue(Realm.NewBody()), Realm.Server, _ => Realm.ServiceKey, Both));
        var mixedUp = ServiceTicket.Seal(Realm.NewBody(), Realm.Server, Realm.ServiceKey.Span, 7, next, 5);
        Assert.Null(ServiceTicket.TryOpen(mixedUp, Realm.Server, _ => Realm.ServiceKey, Both));
    }

    [Fact]
    public void A_thief_of_the_servers_key_cannot_make_a_ticket()
    {
        using var thief = Ed25519PrivateKey.Generate();
        var forged = ServiceTicket.Seal(Realm.NewBody(), Realm.Server, Realm.ServiceKey.Span, 7, thief, 5);

        Assert.Null(Realm.Open(forged));
        // Nor by leaving the signature out, or by putting a genuine one of another ticket there.
        Assert.Null(Realm.Open(forged.AsSpan(0, forged.Length - 64)));
        Assert.Null(Realm.Open([.. forged.AsSpan(0, forged.Length - 64), .. new byte[64]]));
        Assert.Null(Realm.Open([.. forged.AsSpan(0, forged.Length - 64), .. Realm.Issue(Realm.NewBody()).AsSpan(^64)]));
    }

    [Fact]
    public void The_service_key_is_not_even_asked_for_before_the_signature_is_good()
    {
        using var thief = Ed25519PrivateKey.Generate();
        var forged = ServiceTicket.Seal(Realm.NewBody(), Realm.Server, Realm.ServiceKey.Span, 7, thief, 5);

        Assert.Null(ServiceTicket.TryOpen(
            forged, Realm.Server, _ => throw new InvalidOperationException("asked for"), Realm.SigningKeyOf));
    }

    [Fact]
    public void A_signature_that_the_realm_made_for_something_else_is_worth_nothing()
    {
        var ticket = Realm.Issue(Realm.NewBody());
        var unsigned = ticket[..^64];

        Assert.NotNull(Realm.Open(Sign(unsigned, Realm.SigningKey)));
        Assert.Null(Realm.Open([.. unsigned, .. Realm.SigningKey.Sign(unsigned)]));
        Assert.Null(Realm.Open([.. unsigned, .. Realm.SigningKey.Sign([.. "kmsg/25 device certificate\0"u8, .. unsigned])]));
    }

    [Fact]
    public void A_ticket_granting_ticket_is_no_service_ticket()
    {
        var ticket = Realm.Grant(Realm.NewBody());

        Assert.Null(Realm.Open(ticket));
        Assert.Null(Realm.Open(Sign(ticket, Realm.SigningKey)));
    }

    // Whatever version is asked for, so that a changed version is found by what it changes alone.
    private static byte[] AnySigningKey(uint version) => Realm.PublicKey.ToArray();

    private static byte[] Sign(byte[] unsigned, Ed25519PrivateKey key) =>
        [.. unsigned, .. key.Sign([.. "kmsg/25 service ticket signature\0"u8, .. unsigned])];
}
