namespace KerberosMessaging.Cryptography;

/// <summary>Encapsulation to ML-KEM-768 public keys (FIPS 203).</summary>
public static class MlKem768
{
    /// <summary>The size of a public (encapsulation) key in bytes.</summary>
    public const int PublicKeySize = 1184;

    /// <summary>The size of a ciphertext in bytes.</summary>
    public const int CiphertextSize = 1088;

    /// <summary>The size of a shared secret in bytes.</summary>
    public const int SharedSecretSize = 32;

    internal const int EncapsulationSeedSize = 32;

    /// <summary>Makes a fresh shared secret that only the holder of the private key can learn (FIPS 203 section 7.2).</summary>
    /// <param name="publicKey">The recipient's public key, 1184 bytes.</param>
    /// <param name="ciphertext">Receives the ciphertext for the recipient, 1088 bytes.</param>
    /// <param name="sharedSecret">Receives the shared secret, 32 bytes.</param>
    /// <returns>
    /// False where the public key has another length or fails the modulus check; both outputs are zeroed then.
    /// </returns>
    /// <exception cref="ArgumentException">An output has the wrong length.</exception>
    public static bool TryEncapsulate(
        ReadOnlySpan<byte> publicKey, Span<byte> ciphertext, Span<byte> sharedSecret)
    {
        CheckOutputs(ciphertext, sharedSecret);
        return Succeeded(
            publicKey.Length == PublicKeySize
                && SodiumNative.crypto_kem_mlkem768_enc(ciphertext, sharedSecret, publicKey) == 0,
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
                && SodiumNative.crypto_kem_mlkem768_enc_deterministic(ciphertext, sharedSecret, publicKey, seed) == 0,
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
