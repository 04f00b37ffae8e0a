namespace KerberosMessaging.Cryptography;

/// <summary>
/// Encapsulation to X-Wing public keys (draft-connolly-cfrg-xwing-kem): X25519 and ML-KEM-768 joined so that the
/// secret holds while either of the two does.
/// </summary>
public static class XWing
{
    /// <summary>The size of a public key in bytes: ML-KEM-768 (1184), then X25519 (32).</summary>
    public const int PublicKeySize = 1216;

    /// <summary>The size of a ciphertext in bytes: ML-KEM-768 (1088), then X25519 (32).</summary>
    public const int CiphertextSize = 1120;

    /// <summary>The size of a shared secret in bytes.</summary>
    public const int SharedSecretSize = 32;

    internal const int EncapsulationSeedSize = 64;

    /// <summary>Makes a fresh shared secret that only the holder of the private key can learn (draft section 5.4).</summary>
    /// <param name="publicKey">The recipient's public key, 1216 bytes.</param>
    /// <param name="ciphertext">Receives the ciphertext for the recipient, 1120 bytes.</param>
    /// <param name="sharedSecret">Receives the shared secret, 32 bytes.</param>
    /// <returns>
    /// False where the public key has another length, fails ML-KEM's modulus check or has an X25519 part of low
    /// order; both outputs are zeroed then.
    /// </returns>
    /// <exception cref="ArgumentException">An output has the wrong length.</exception>
    public static bool TryEncapsulate(
        ReadOnlySpan<byte> publicKey, Span<byte> ciphertext, Span<byte> sharedSecret)
    {
        CheckOutputs(ciphertext, sharedSecret);
        return Succeeded(
            publicKey.Length == PublicKeySize
                && SodiumNative.crypto_kem_xwing_enc(ciphertext, sharedSecret, publicKey) == 0,
            ciphertext,
            sharedSecret);
    }

    /// <summary>The form without randomness of its own, for published test vectors.</summary>
    internal static bool TryEncapsulate(
        ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> seed, Span<byte> ciphertext, Span<byte> sharedSecret)
    {
        CheckOutputs(ciphertext, sharedSecret);
        Require.Length(seed, EncapsulationSeedSize);
        return Succeeded(
            publicKey.Length == PublicKeySize
                && SodiumNative.crypto_kem_xwing_enc_deterministic(ciphertext, sharedSecret, publicKey, seed) == 0,
            ciphertext,
            sharedSecret);
    }

    private static void CheckOutputs(Span<byte> ciphertext, Span<byte> sharedSecret)
    {
        Require.Length(ciphertext, CiphertextSize);
        Require.Length(sharedSecret, SharedSecretSize);
    }

    private static bool Succeeded(bool succeeded, Span<byte> ciphertext, Span<byte> sharedSecret)
    {
        if (!succeeded)
        {
            ciphertext.Clear();
            sharedSecret.Clear();
        }

        return succeeded;
    }
}
