using CsCheck;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets.Tests;

public sealed class ServiceTicketTests
{
    [Fact]
    public void What_was_sealed_is_what_opens() =>
        Gen.Select(BodyGen.Body, Gen.Byte.Array[32], Gen.UInt, Gen.Guid).Sample((body, key, version, server) =>
        {
            using var serviceKey = new SecretBytes(key);
            var ticket = ServiceTicket.Seal(body, new ServerId(server), key, version, Realm.SigningKey);
            using var opened = ServiceTicket.TryOpen(
                ticket, new ServerId(server), asked => asked == version ? serviceKey : null, Realm.PublicKey);

            return BodyGen.AreSame(body, opened) && ticket.Length <= ProtocolLimits.TicketBytes;
        });

    [Fact]
    public void No_bit_of_a_ticket_can_change()
    {
        var ticket = Realm.Issue(Realm.NewBody());

        Assert.All(Flips.Of(ticket), changed => Assert.Null(
            ServiceTicket.TryOpen(changed, Realm.Server, _ => Realm.ServiceKey, Realm.PublicKey)));
    }

    [Fact]
    public void No_bit_of_what_is_sealed_can_change_even_if_the_realm_signs_it_again()
    {
        var ticket = Realm.Issue(Realm.NewBody());

        Assert.All(Flips.Of(ticket[..^64]), changed => Assert.Null(
            ServiceTicket.TryOpen(Sign(changed, Realm.SigningKey), Realm.Server, _ => Realm.ServiceKey, Realm.PublicKey)));
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
        Assert.Null(ServiceTicket.TryOpen(ticket, ServerId.New(), _ => Realm.ServiceKey, Realm.PublicKey));
    }

    [Fact]
    public void A_ticket_under_another_key_does_not_open()
    {
        using var other = SecretBytes.Random(ServiceTicket.ServiceKeySize);

        Assert.Null(ServiceTicket.TryOpen(Realm.Issue(Realm.NewBody()), Realm.Server, _ => other, Realm.PublicKey));
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
            Realm.PublicKey));
        Assert.Equal([7u], asked);
    }

    [Fact]
    public void A_thief_of_the_servers_key_cannot_make_a_ticket()
    {
        using var thief = Ed25519PrivateKey.Generate();
        var forged = ServiceTicket.Seal(Realm.NewBody(), Realm.Server, Realm.ServiceKey.Span, 7, thief);

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
        var forged = ServiceTicket.Seal(Realm.NewBody(), Realm.Server, Realm.ServiceKey.Span, 7, thief);

        Assert.Null(ServiceTicket.TryOpen(
            forged, Realm.Server, _ => throw new InvalidOperationException("asked for"), Realm.PublicKey));
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

    private static byte[] Sign(byte[] unsigned, Ed25519PrivateKey key) =>
        [.. unsigned, .. key.Sign([.. "kmsg/25 service ticket signature\0"u8, .. unsigned])];
}
