using System.Security.Cryptography;
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
        Span<byte> derived = stackalloc byte[AuthenticatedCbc.KeySize];
        Derive(key, label, [], derived);
        var sealedData = AuthenticatedCbc.Seal(derived, plaintext, associatedData);
        CryptographicOperations.ZeroMemory(derived);
        return sealedData;
    }

    /// <summary>Opens something sealed into <paramref name="plaintext"/>, which is at least as long as what was sealed.</summary>
    public static bool TryOpen(
        ReadOnlySpan<byte> key,
        string label,
        ReadOnlySpan<byte> sealedData,
        ReadOnlySpan<byte> associatedData,
        Span<byte> plaintext,
        out int written)
    {
        Span<byte> derived = stackalloc byte[AuthenticatedCbc.KeySize];
        Derive(key, label, [], derived);
        using var cipher = new AuthenticatedCbc(derived);
        CryptographicOperations.ZeroMemory(derived);
        return cipher.TryOpen(sealedData, associatedData, plaintext, out written);
    }

    // HKDF-Expand wants a pseudorandom key of at least the hash length (RFC 5869, section 2.3), and session and service
    // keys have 32 bytes: Extract comes first, always.
    public static void Derive(ReadOnlySpan<byte> key, string label, ReadOnlySpan<byte> context, Span<byte> derived)
    {
        Span<byte> prk = stackalloc byte[KeyDerivation.PseudorandomKeySize];
        KeyDerivation.Extract([], key, prk);
        if (context.IsEmpty)
        {
            KeyDerivation.Expand(prk, label, derived);
        }
        else
        {
            KeyDerivation.Expand(prk, label, context, derived);
        }

        CryptographicOperations.ZeroMemory(prk);
    }
}
