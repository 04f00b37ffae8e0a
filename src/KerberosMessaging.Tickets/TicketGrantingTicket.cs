using System.Buffers.Binary;

namespace KerberosMessaging.Tickets;

/// <summary>
/// The ticket-granting ticket: sealed by the realm to itself under a ticket key whose version it names.
/// <code>
///  0      1             5
///  +------+-------------+-----------------------------+
///  | kind | key version | body, A256CBC-HS512         |
///  | = 1  | (4)         | (associated: the 5 in front)|
///  +------+-------------+-----------------------------+
/// </code>
/// </summary>
public static class TicketGrantingTicket
{
    private const byte Kind = 1;
    private const int PrefixSize = 5;

    /// <summary>Seals a ticket.</summary>
    /// <param name="body">What it says.</param>
    /// <param name="ticketKey">The realm's ticket key, 64 bytes.</param>
    /// <param name="keyVersion">The key version number of that key.</param>
    public static byte[] Seal(TicketBody body, ReadOnlySpan<byte> ticketKey, uint keyVersion)
    {
        Span<byte> prefix = stackalloc byte[PrefixSize];
        prefix[0] = Kind;
        BinaryPrimitives.WriteUInt32BigEndian(prefix[1..], keyVersion);
        return [.. prefix, .. body.Seal(ticketKey, TicketKeys.TicketGrantingTicket, prefix)];
    }

    /// <summary>Which ticket key a ticket needs; false when it is no ticket-granting ticket at all.</summary>
    /// <param name="ticket">The ticket.</param>
    /// <param name="keyVersion">The key version number.</param>
    public static bool TryReadKeyVersion(ReadOnlySpan<byte> ticket, out uint keyVersion)
    {
        keyVersion = 0;
        if (ticket.Length < PrefixSize || ticket[0] != Kind)
        {
            return false;
        }

        keyVersion = BinaryPrimitives.ReadUInt32BigEndian(ticket[1..]);
        return true;
    }

    /// <summary>Opens a ticket; null for every cause of failure. Times are not judged here.</summary>
    /// <param name="ticket">The ticket.</param>
    /// <param name="ticketKey">The realm's ticket key of the version that the ticket names, 64 bytes.</param>
    public static TicketBody? TryOpen(ReadOnlySpan<byte> ticket, ReadOnlySpan<byte> ticketKey) =>
        TryReadKeyVersion(ticket, out _)
            ? TicketBody.TryOpen(ticketKey, TicketKeys.TicketGrantingTicket, ticket[PrefixSize..], ticket[..PrefixSize])
            : null;
}
