using CsCheck;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Tickets.Tests;

public sealed class TicketGrantingTicketTests
{
    [Fact]
    public void What_was_sealed_is_what_opens() =>
        Gen.Select(BodyGen.Body, Gen.Byte.Array[64], Gen.UInt).Sample((body, key, version) =>
        {
            var ticket = TicketGrantingTicket.Seal(body, key, version);
            using var opened = TicketGrantingTicket.TryOpen(ticket, key);

            return BodyGen.AreSame(body, opened)
                && TicketGrantingTicket.TryReadKeyVersion(ticket, out var named)
                && named == version
                && ticket.Length <= Protocol.ProtocolLimits.TicketBytes;
        });

    [Fact]
    public void No_bit_of_a_ticket_can_change()
    {
        var ticket = Realm.Grant(Realm.NewBody());

        Assert.All(Flips.Of(ticket), changed => Assert.Null(TicketGrantingTicket.TryOpen(changed, Realm.TicketKey.Span)));
    }

    [Fact]
    public void A_ticket_of_another_length_is_no_ticket()
    {
        var ticket = Realm.Grant(Realm.NewBody());

        Assert.All(Flips.Lengths(ticket), changed => Assert.Null(TicketGrantingTicket.TryOpen(changed, Realm.TicketKey.Span)));
    }

    [Fact]
    public void A_ticket_opens_with_the_key_it_was_sealed_under_and_no_other()
    {
        var ticket = Realm.Grant(Realm.NewBody());
        using var other = SecretBytes.Random(64);

        Assert.NotNull(TicketGrantingTicket.TryOpen(ticket, Realm.TicketKey.Span));
        Assert.Null(TicketGrantingTicket.TryOpen(ticket, other.Span));
    }

    [Fact]
    public void A_ticket_cannot_claim_another_key_version()
    {
        var ticket = Realm.Grant(Realm.NewBody());
        ticket[4] = 4;

        Assert.True(TicketGrantingTicket.TryReadKeyVersion(ticket, out var version));
        Assert.Equal(4u, version);
        Assert.Null(TicketGrantingTicket.TryOpen(ticket, Realm.TicketKey.Span));
    }

    [Fact]
    public void A_service_ticket_is_no_ticket_granting_ticket()
    {
        // Sealed under the same key, as if a key had been put to two uses.
        var serviceTicket = ServiceTicket.Seal(
            Realm.NewBody(), Realm.Server, Realm.TicketKey.Span[..32], 1, Realm.SigningKey, 1);

        Assert.False(TicketGrantingTicket.TryReadKeyVersion(serviceTicket, out _));
        Assert.Null(TicketGrantingTicket.TryOpen(serviceTicket, Realm.TicketKey.Span[..32]));
        Assert.Null(TicketGrantingTicket.TryOpen([1, 0, 0, 0, 1, .. serviceTicket.AsSpan(25)], Realm.TicketKey.Span[..32]));
    }

    [Fact]
    public void A_body_of_another_format_does_not_open()
    {
        byte[] prefix = [1, 0, 0, 0, 3];
        byte[][] bodies = [[], [1], [2, .. new byte[119]], [1, .. new byte[119], 0]];

        Assert.All(bodies, body => Assert.Null(TicketGrantingTicket.TryOpen(
            [.. prefix, .. TicketKeys.Seal(Realm.TicketKey.Span, TicketKeys.TicketGrantingTicket, body, prefix)],
            Realm.TicketKey.Span)));
    }

    [Fact]
    public void Two_tickets_that_say_the_same_look_different()
    {
        var body = Realm.NewBody();

        Assert.NotEqual(Realm.Grant(body), Realm.Grant(body));
    }
}
