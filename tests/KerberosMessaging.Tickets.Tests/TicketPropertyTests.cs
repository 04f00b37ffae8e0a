using CsCheck;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets.Tests;

/// <summary>Whatever a ticket says, nobody without its keys can make another one of it.</summary>
public sealed class TicketPropertyTests
{
    // A change of one byte, and where.
    private static readonly Gen<(int At, byte Mask)> AnyChange = Gen.Select(Gen.Int[0, 100_000], Gen.Byte[1, 255]);

    [Fact]
    public void No_byte_of_any_ticket_granting_ticket_can_change() => Gen.Select(BodyGen.Body, AnyChange).Sample((body, change) =>
    {
        var ticket = Realm.Grant(body);
        return TicketGrantingTicket.TryOpen(Changed(ticket, change), Realm.TicketKey.Span) is null
            && TicketGrantingTicket.TryOpen(ticket, Realm.TicketKey.Span) is not null;
    });

    [Fact]
    public void No_byte_of_any_service_ticket_can_change() => Gen.Select(BodyGen.Body, AnyChange).Sample(
        (body, change) =>
        {
            // Whatever version a changed ticket names is answered with the right keys.
            var ticket = Realm.Issue(body);
            return OpenWithAnyVersion(Changed(ticket, change)) is null && OpenWithAnyVersion(ticket) is not null;
        },
        iter: 500);

    [Fact]
    public void Bytes_taken_out_or_put_in_anywhere_make_a_ticket_worthless() =>
        Gen.Select(BodyGen.Body, Gen.Int[0, 100_000], Gen.Int[1, 40], Gen.Bool).Sample(
            (body, at, count, isTakenOut) => Edited(Realm.Grant(body), at, count, isTakenOut) is var granted
                && Edited(Realm.Issue(body), at, count, isTakenOut) is var issued
                && TicketGrantingTicket.TryOpen(granted, Realm.TicketKey.Span) is null
                && OpenWithAnyVersion(issued) is null,
            iter: 500);

    [Fact]
    public void Two_tickets_cannot_be_joined_into_a_third() =>
        Gen.Select(BodyGen.Body, BodyGen.Body, Gen.Int[1, 100_000]).Sample(
            (one, other, cut) => Joined(Realm.Grant(one), Realm.Grant(other), cut) is var granted
                && Joined(Realm.Issue(one), Realm.Issue(other), cut) is var issued
                && TicketGrantingTicket.TryOpen(granted, Realm.TicketKey.Span) is null
                && OpenWithAnyVersion(issued) is null,
            iter: 500);

    [Fact]
    public void No_other_key_opens_any_ticket_granting_ticket() =>
        Gen.Select(BodyGen.Body, Gen.Byte.Array[64], AnyChange).Sample((body, key, change) =>
        {
            var ticket = TicketGrantingTicket.Seal(body, key, 1);
            return TicketGrantingTicket.TryOpen(ticket, Changed(key, change)) is null;
        });

    [Fact]
    public void A_service_ticket_opens_at_its_own_server_with_its_own_keys_of_its_own_versions_alone() =>
        Gen.Select(BodyGen.Body, AnyChange, AnyChange, Gen.UInt, Gen.UInt, Gen.Int[0, 4]).Sample(
            (body, change, signingChange, version, signingVersion, what) =>
            {
                var ticket = ServiceTicket.Seal(body, Realm.Server, Realm.ServiceKey.Span, version, Realm.SigningKey, signingVersion);
                using var key = new SecretBytes(what == 1 ? Changed(Realm.ServiceKey.Span.ToArray(), change) : Realm.ServiceKey.Span.ToArray());
                var signing = what == 2 ? Changed(Realm.PublicKey.ToArray(), signingChange) : Realm.PublicKey.ToArray();
                var server = what == 0 ? new ServerId(new Guid(Changed(Realm.Server.Value.ToByteArray(), change))) : Realm.Server;

                // The server has the keys under other numbers than the ticket names.
                var (has, hasSigning) = (what == 3 ? version ^ 1 : version, what == 4 ? signingVersion ^ 1 : signingVersion);
                return Open(ticket, server, key, has, signing, hasSigning) is null
                    && Open(ticket, Realm.Server, Realm.ServiceKey, version, Realm.PublicKey.ToArray(), signingVersion) is not null;
            },
            iter: 500);

    private static TicketBody? OpenWithAnyVersion(byte[] ticket) =>
        ServiceTicket.TryOpen(ticket, Realm.Server, static _ => Realm.ServiceKey, static _ => Realm.PublicKey.ToArray());

    private static TicketBody? Open(byte[] ticket, ServerId server, SecretBytes key, uint version, byte[] signing, uint signingVersion) =>
        ServiceTicket.TryOpen(
            ticket, server, asked => asked == version ? key : null, asked => asked == signingVersion ? signing : null);

    private static byte[] Changed(byte[] bytes, (int At, byte Mask) change)
    {
        byte[] changed = [.. bytes];
        changed[change.At % changed.Length] ^= change.Mask;
        return changed;
    }

    private static byte[] Edited(byte[] bytes, int at, int count, bool isTakenOut)
    {
        at %= bytes.Length;
        return isTakenOut
            ? [.. bytes.AsSpan(0, at), .. bytes.AsSpan(Math.Min(at + count, bytes.Length))]
            : [.. bytes.AsSpan(0, at), .. new byte[count], .. bytes.AsSpan(at)];
    }

    // The beginning of one and the end of the other, cut far enough inside what differs that neither is the result.
    private static byte[] Joined(byte[] one, byte[] other, int cut)
    {
        cut = 48 + cut % (Math.Min(one.Length, other.Length) - 96);
        return [.. one.AsSpan(0, cut), .. other.AsSpan(cut)];
    }
}
