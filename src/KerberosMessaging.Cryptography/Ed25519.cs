using NSec.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>Verification of Ed25519 signatures (RFC 8032 section 5.1.7).</summary>
public static class Ed25519
{
    /// <summary>The size of a public key in bytes.</summary>
    public const int PublicKeySize = 32;

    /// <summary>The size of a signature in bytes.</summary>
    public const int SignatureSize = 64;

    /// <summary>Verifies a signature. Malformed input is a bad signature, never an exception.</summary>
    /// <param name="publicKey">The signer's public key, 32 bytes.</param>
    /// <param name="message">The signed bytes.</param>
    /// <param name="signature">The signature, 64 bytes.</param>
    /// <returns>True only for a signature by that key over that message.</returns>
    public static bool Verify(
        ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        publicKey.Length == PublicKeySize
        && signature.Length == SignatureSize
        && PublicKey.TryImport(SignatureAlgorithm.Ed25519, publicKey, KeyBlobFormat.RawPublicKey, out var key)
        && key is not null
        && SignatureAlgorithm.Ed25519.Verify(key, message, signature);
}
