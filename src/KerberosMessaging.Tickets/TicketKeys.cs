using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Tickets;

/// <summary>
/// Each use of a key gets a key of its own by HKDF under these labels, so that nothing sealed for one purpose
/// opens for another.
/// </summary>
internal static class TicketKeys
{
    public const string TicketGrantingTicket = "kmsg/25 ticket-granting ticket";
    public const string ServiceTicket = "kmsg/25 service ticket";
    public const string Authenticator = "kmsg/25 authenticator";
    public const string AsReply = "kmsg/25 AS reply";
    public const string TgsReply = "kmsg/25 TGS reply";
    public const string ApReply = "kmsg/25 AP reply";
    public const string PreviousKeys = "kmsg/25 previous keys";
    public const string ChannelMix = "kmsg/25 channel mix";

    public static byte[] Seal(ReadOnlySpan<byte> key, string label, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData)
    {
        using var derived = Derive(key, label);
        return AuthenticatedCbc.Seal(derived.Span, plaintext, associatedData);
    }

    public static bool TryOpen(
        ReadOnlySpan<byte> key,
        string label,
        ReadOnlySpan<byte> sealedData,
        ReadOnlySpan<byte> associatedData,
        out SecretBytes plaintext)
    {
        using var derived = Derive(key, label);
        using var cipher = new AuthenticatedCbc(derived.Span);
        plaintext = new SecretBytes(Math.Max(sealedData.Length, AuthenticatedCbc.MinimumSealedSize));
        if (cipher.TryOpen(sealedData, associatedData, plaintext.Span, out var written))
        {
            var exact = new SecretBytes(plaintext.Span[..written]);
            plaintext.Dispose();
            plaintext = exact;
            return true;
        }

        plaintext.Dispose();
        return false;
    }

    // HKDF-Expand wants a pseudorandom key of at least the hash length (RFC 5869, section 2.3), and session and service
    // keys have 32 bytes: Extract comes first, always.
    public static SecretBytes Derive(ReadOnlySpan<byte> key, string label, ReadOnlySpan<byte> context)
    {
        using var prk = new SecretBytes(64);
        KeyDerivation.Extract([], key, prk.Span);
        var derived = new SecretBytes(AuthenticatedCbc.KeySize);
        if (context.IsEmpty)
        {
            KeyDerivation.Expand(prk.Span, label, derived.Span);
        }
        else
        {
            KeyDerivation.Expand(prk.Span, label, context, derived.Span);
        }

        return derived;
    }

    private static SecretBytes Derive(ReadOnlySpan<byte> key, string label) => Derive(key, label, []);
}
