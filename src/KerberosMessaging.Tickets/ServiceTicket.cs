using System.Buffers.Binary;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>
/// A service ticket: sealed to one message server, and signed by the realm over what is sealed, so that a thief of the
/// server's key can read tickets but not make them.
/// <code>
///  0      1        17            21            25                                   end-64
///  +------+--------+-------------+-------------+-------------------------------------+----------------+
///  | kind | server | service key | signing key | body, A256CBC-HS512                 | Ed25519        |
///  | = 2  | (16)   | version (4) | version (4) | (associated: the 25 in front)       | signature (64) |
///  +------+--------+-------------+-------------+-------------------------------------+----------------+
/// </code>
/// </summary>
public static class ServiceTicket
{
    /// <summary>Bytes of a message server's service key.</summary>
    public const int ServiceKeySize = 32;

    private const byte Kind = 2;
    private const int PrefixSize = 25;

    private static readonly byte[] SignatureLabel = "kmsg/25 service ticket signature\0"u8.ToArray();

    /// <summary>Seals and signs a ticket.</summary>
    /// <param name="body">What it says.</param>
    /// <param name="server">The message server that it is for.</param>
    /// <param name="serviceKey">That server's service key, 32 bytes.</param>
    /// <param name="serviceKeyVersion">The key version number of that key.</param>
    /// <param name="signingKey">The realm's ticket-signing key.</param>
    /// <param name="signingKeyVersion">The key version number of that key.</param>
    public static byte[] Seal(
        TicketBody body,
        ServerId server,
        ReadOnlySpan<byte> serviceKey,
        uint serviceKeyVersion,
        Ed25519PrivateKey signingKey,
        uint signingKeyVersion)
    {
        Span<byte> prefix = stackalloc byte[PrefixSize];
        prefix[0] = Kind;
        server.Value.TryWriteBytes(prefix[1..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32BigEndian(prefix[17..], serviceKeyVersion);
        BinaryPrimitives.WriteUInt32BigEndian(prefix[21..], signingKeyVersion);
        byte[] unsigned = [.. prefix, .. body.Seal(serviceKey, TicketKeys.ServiceTicket, prefix)];
        return [.. unsigned, .. signingKey.Sign([.. SignatureLabel, .. unsigned])];
    }

    /// <summary>Verifies and opens a ticket; null for every cause of failure. Times are not judged here.</summary>
    /// <param name="ticket">The ticket.</param>
    /// <param name="server">The server that asks.</param>
    /// <param name="serviceKey">Gives the service key of a version, 32 bytes; null for a version it does not have.</param>
    /// <param name="signingKey">Gives the realm's ticket-signing Ed25519 public key of a version, 32 bytes; null for a version it does not have.</param>
    public static TicketBody? TryOpen(
        ReadOnlySpan<byte> ticket,
        ServerId server,
        Func<uint, SecretBytes?> serviceKey,
        Func<uint, byte[]?> signingKey)
    {
        if (ticket.Length < PrefixSize + AuthenticatedCbc.MinimumSealedSize + Ed25519.SignatureSize
            || ticket[0] != Kind
            || new Guid(ticket[1..17], bigEndian: true) != server.Value)
        {
            return null;
        }

        var unsigned = ticket[..^Ed25519.SignatureSize];
        if (signingKey(BinaryPrimitives.ReadUInt32BigEndian(ticket[21..])) is not { } verifying
            || !Ed25519.Verify(verifying, [.. SignatureLabel, .. unsigned], ticket[^Ed25519.SignatureSize..])
            || serviceKey(BinaryPrimitives.ReadUInt32BigEndian(ticket[17..])) is not { } stored)
        {
            return null;
        }

        return TicketBody.TryOpen(stored.Span, TicketKeys.ServiceTicket, unsigned[PrefixSize..], ticket[..PrefixSize]);
    }
}
