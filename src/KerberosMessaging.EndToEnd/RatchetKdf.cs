using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The key derivation chains, as Double Ratchet, section 5.2 recommends them, the root chain with a next header key
/// (section 4.2, KDF_RK_HE) and, in a step that refreshes the session's security against quantum computers, an ML-KEM-768
/// shared secret ss behind the Diffie-Hellman output:
/// <code>
/// KDF_RK_HE(rk, dh)      = HKDF-SHA-256(salt = rk, ikm = dh,       info = "kmsg/25 ratchet root", 128 bytes)
/// KDF_RK_HE(rk, dh, ss)  = HKDF-SHA-256(salt = rk, ikm = dh || ss, info = "kmsg/25 ratchet root ML-KEM-768", 128 bytes)
///                          → rk' (32) || ck (32) || next header key (64)
/// KDF_CK(ck)             = mk: HMAC-SHA-256(ck, 0x01), ck': HMAC-SHA-256(ck, 0x02)
/// </code>
/// The old root key is the salt, so a refreshed root is secret as long as any one of rk, dh and ss is.
/// </summary>
internal static class RatchetKdf
{
    public const int KeySize = 32;

    private const int OutputSize = (2 * KeySize) + HeaderKey.Size;

    private static ReadOnlySpan<byte> MessageKeyInput => [0x01];

    private static ReadOnlySpan<byte> ChainKeyInput => [0x02];

    /// <summary>One step of the root chain. The secret of the KEM is empty in a step without one.</summary>
    public static RootStep StepRoot(SecretBytes rootKey, ReadOnlySpan<byte> agreed, ReadOnlySpan<byte> kemSecret)
    {
        using var input = new SecretBytes(agreed.Length + kemSecret.Length);
        agreed.CopyTo(input.Span);
        kemSecret.CopyTo(input.Span[agreed.Length..]);
        using var output = new SecretBytes(OutputSize);
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            input.Span,
            output.Span,
            rootKey.Span,
            kemSecret.IsEmpty ? Labels.RatchetRoot : Labels.HybridRatchetRoot);
        return new RootStep(
            new SecretBytes(output.Span[..KeySize]),
            new SecretBytes(output.Span[KeySize..(2 * KeySize)]),
            new HeaderKey(output.Span[(2 * KeySize)..]));
    }

    public static void DeriveMessageKey(ReadOnlySpan<byte> chainKey, Span<byte> messageKey) =>
        HMACSHA256.HashData(chainKey, MessageKeyInput, messageKey);

    /// <summary>Replaces a chain key by the one behind it.</summary>
    public static void Advance(Span<byte> chainKey)
    {
        Span<byte> next = stackalloc byte[KeySize];
        HMACSHA256.HashData(chainKey, ChainKeyInput, next);
        next.CopyTo(chainKey);
        CryptographicOperations.ZeroMemory(next);
    }
}

/// <summary>What a step of the root chain gives. Whoever takes a part out owns it; the rest is erased.</summary>
internal sealed class RootStep(SecretBytes rootKey, SecretBytes chainKey, HeaderKey nextHeaderKey) : IDisposable
{
    private SecretBytes? _rootKey = rootKey;
    private SecretBytes? _chainKey = chainKey;
    private HeaderKey? _nextHeaderKey = nextHeaderKey;

    public SecretBytes ChainKey => _chainKey!;

    public SecretBytes TakeRootKey() => Take(ref _rootKey);

    public SecretBytes TakeChainKey() => Take(ref _chainKey);

    public HeaderKey TakeNextHeaderKey() => Take(ref _nextHeaderKey);

    public void Dispose()
    {
        _rootKey?.Dispose();
        _chainKey?.Dispose();
        _nextHeaderKey?.Dispose();
    }

    public override string ToString() => "[redacted]";

    private static T Take<T>(ref T? part)
        where T : class
    {
        var taken = part!;
        part = null;
        return taken;
    }
}
