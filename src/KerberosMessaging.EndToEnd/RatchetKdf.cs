using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The two key derivation chains, as Double Ratchet, section 5.2 recommends them:
/// <code>
/// KDF_RK(rk, dh) = HKDF-SHA-256(salt = rk, ikm = dh, info = "kmsg/25 ratchet root", 64 bytes) → rk' (32) || ck (32)
/// KDF_CK(ck)     = mk: HMAC-SHA-256(ck, 0x01), ck': HMAC-SHA-256(ck, 0x02)
/// </code>
/// </summary>
internal static class RatchetKdf
{
    public const int KeySize = 32;

    private static ReadOnlySpan<byte> MessageKeyInput => [0x01];

    private static ReadOnlySpan<byte> ChainKeyInput => [0x02];

    public static void StepRoot(
        ReadOnlySpan<byte> rootKey,
        ReadOnlySpan<byte> agreed,
        Span<byte> nextRootKey,
        Span<byte> chainKey)
    {
        using var output = new SecretBytes(2 * KeySize);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, agreed, output.Span, rootKey, Labels.RatchetRoot);
        output.Span[..KeySize].CopyTo(nextRootKey);
        output.Span[KeySize..].CopyTo(chainKey);
    }

    public static void StepChain(ReadOnlySpan<byte> chainKey, Span<byte> messageKey, Span<byte> nextChainKey)
    {
        HMACSHA256.HashData(chainKey, MessageKeyInput, messageKey);
        HMACSHA256.HashData(chainKey, ChainKeyInput, nextChainKey);
    }
}
