using System.Buffers.Binary;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>
/// A service ticket: sealed to one message server, and signed by the realm over what is sealed, so that a thief of the
/// server's key can read tickets but not make them.
/// <code>
///  0      1        17            21                                       end-64
///  +------+--------+-------------+-----------------------------------------+----------------+
///  | kind | server | key version | body, A256CBC-HS512                     | Ed25519        |
///  | = 2  | (16)   | (4)         | (associated: the 21 in front)           | signature (64) |
///  +------+--------+-------------+-----------------------------------------+----------------+
/// </code>
/// </summary>
public static class ServiceTicket
{
    /// <summary>Bytes of a message server's service key.</summary>
    public const int ServiceKeySize = 32;

    private const byte Kind = 2;
    private const int PrefixSize = 21;

    private static readonly byte[] SignatureLabel = "kmsg/25 service ticket signature\0"u8.ToArray();

    /// <summary>Seals and signs a ticket.</summary>
    /// <param name="body">What it says.</param>
    /// <param name="server">The message server that it is for.</param>
    /// <param name="serviceKey">That server's service key, 32 bytes.</param>
    /// <param name="keyVersion">The key version number of that key.</param>
    /// <param name="realmKey">The realm signing key.</param>
    public static byte[] Seal(
        TicketBody body,
        ServerId server,
        ReadOnlySpan<byte> serviceKey,
        uint keyVersion,
        Ed25519PrivateKey realmKey)
    {
        Span<byte> prefix = stackalloc byte[PrefixSize];
        prefix[0] = Kind;
        server.Value.TryWriteBytes(prefix[1..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32BigEndian(prefix[17..], keyVersion);
        byte[] unsigned = [.. prefix, .. body.Seal(serviceKey, TicketKeys.ServiceTicket, prefix)];
        return [.. unsigned, .. realmKey.Sign([.. SignatureLabel, .. unsigned])];
    }

    /// <summary>Verifies and opens a ticket; null for every cause of failure. Times are not judged here.</summary>
    /// <param name="ticket">The ticket.</param>
    /// <param name="server">The server that asks.</param>
    /// <param name="serviceKey">Gives the service key of a version, 32 bytes; null for a version it does not have.</param>
    /// <param name="realmSigningKey">The realm's Ed25519 public key, 32 bytes.</param>
    public static TicketBody? TryOpen(
        ReadOnlySpan<byte> ticket,
        ServerId server,
        Func<uint, SecretBytes?> serviceKey,
        ReadOnlySpan<byte> realmSigningKey)
    {
        if (ticket.Length < PrefixSize + AuthenticatedCbc.MinimumSealedSize + Ed25519.SignatureSize
            || ticket[0] != Kind
            || new Guid(ticket[1..17], bigEndian: true) != server.Value)
        {
            return null;
        }

        var unsigned = ticket[..^Ed25519.SignatureSize];
        if (!Ed25519.Verify(realmSigningKey, [.. SignatureLabel, .. unsigned], ticket[^Ed25519.SignatureSize..])
            || serviceKey(BinaryPrimitives.ReadUInt32BigEndian(ticket[17..])) is not { } stored)
        {
            return null;
        }

        return TicketBody.TryOpen(stored.Span, TicketKeys.ServiceTicket, unsigned[PrefixSize..], ticket[..PrefixSize]);
    }
}
