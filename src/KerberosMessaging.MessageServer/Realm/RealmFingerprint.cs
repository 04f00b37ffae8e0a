using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace KerberosMessaging.MessageServer.Realm;

/// <summary>SHA-256 of the realm's Ed25519 public key, by which the auth server is known.</summary>
internal static class RealmFingerprint
{
    /// <summary>Reads 64 hexadecimal digits; colons, white space and case do not matter.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out byte[]? fingerprint)
    {
        var digits = string.Concat(text.Where(static c => c != ':' && !char.IsWhiteSpace(c)));
        fingerprint = digits.Length == SHA256.HashSizeInBytes * 2 && digits.All(char.IsAsciiHexDigit)
            ? Convert.FromHexString(digits)
            : null;
        return fingerprint is not null;
    }

    /// <summary>Whether a public key has a fingerprint.</summary>
    public static bool IsOf(ReadOnlySpan<byte> fingerprint, ReadOnlySpan<byte> publicKey) =>
        CryptographicOperations.FixedTimeEquals(fingerprint, SHA256.HashData(publicKey));
}
