using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>The server's proof in the AP exchange (RFC 4120, section 5.5.2): only who opened the ticket can make it.</summary>
/// <param name="Nonce">The authenticator's nonce, repeated.</param>
/// <param name="ServerTime">The server's clock.</param>
/// <param name="EndsAt">When the connection ends unless a fresh ticket is presented.</param>
public sealed record ApReplyPart(byte[] Nonce, DateTimeOffset ServerTime, DateTimeOffset EndsAt)
{
    private const int NonceSize = 32;

    /// <summary>Seals the proof.</summary>
    /// <param name="sessionKey">The ticket's session key.</param>
    public byte[] Seal(SecretBytes sessionKey)
    {
        using var buffer = SealedWriter.Rent();
        var writer = new WireWriter(buffer);
        writer.WriteFixed(Nonce, NonceSize);
        writer.WriteTime(ServerTime);
        writer.WriteTime(EndsAt);
        return TicketKeys.Seal(sessionKey.Span, TicketKeys.ApReply, buffer.Written, []);
    }

    /// <summary>Opens the proof and checks that it repeats the nonce; null when it does not verify.</summary>
    /// <param name="sealedPart">As received.</param>
    /// <param name="sessionKey">The ticket's session key.</param>
    /// <param name="nonce">The nonce of the authenticator that was sent.</param>
    public static ApReplyPart? TryOpen(ReadOnlySpan<byte> sealedPart, SecretBytes sessionKey, ReadOnlySpan<byte> nonce)
    {
        var part = SealedPart.TryOpen(
            sessionKey.Span,
            TicketKeys.ApReply,
            sealedPart,
            [],
            static (ref WireReader reader) => new ApReplyPart(reader.ReadFixed(NonceSize), reader.ReadTime(), reader.ReadTime()));
        return part is not null && CryptographicOperations.FixedTimeEquals(part.Nonce, nonce) ? part : null;
    }
}
