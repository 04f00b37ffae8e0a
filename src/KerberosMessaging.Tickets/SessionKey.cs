using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Tickets;

/// <summary>A ticket's session key: 32 random bytes that the ticket carries to its server and the reply to its client (RFC 4120, section 1.6.1).</summary>
public static class SessionKey
{
    /// <summary>Bytes.</summary>
    public const int Size = 32;

    /// <summary>A fresh session key.</summary>
    public static SecretBytes New() => SecretBytes.Random(Size);

    /// <summary>The key that both sides mix into their channel after the AP exchange. 64 bytes.</summary>
    /// <param name="sessionKey">The ticket's session key.</param>
    /// <param name="nonce">The authenticator's 32-byte nonce.</param>
    public static SecretBytes ForChannel(SecretBytes sessionKey, ReadOnlySpan<byte> nonce)
    {
        var derived = new SecretBytes(AuthenticatedCbc.KeySize);
        TicketKeys.Derive(sessionKey.Span, TicketKeys.ChannelMix, nonce, derived.Span);
        return derived;
    }
}
