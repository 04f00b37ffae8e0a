using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>An ML-KEM-768 decapsulation key (FIPS 203). Safe for use by several threads at once.</summary>
public sealed class MlKem768PrivateKey : IDisposable
{
    /// <summary>The size in bytes of the seed (d followed by z), from which the whole key follows.</summary>
    public const int SeedSize = 64;

    private const int ExpandedSize = 2400;

    private readonly SecretBytes _seed;
    private readonly SecretBytes _expanded = new(ExpandedSize);

    private MlKem768PrivateKey(SecretBytes seed)
    {
        _seed = seed;
        var publicKey = new byte[MlKem768.PublicKeySize];
        if (SodiumNative.crypto_kem_mlkem768_seed_keypair(publicKey, _expanded.Span, seed.Span) != 0)
        {
            Dispose();
            throw new CryptographicException("The key pair could not be derived.");
        }

        PublicKey = publicKey;
    }

    /// <summary>The public (encapsulation) key, 1184 bytes.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>Makes a new random key.</summary>
    /// <returns>A key owned by the caller.</returns>
    public static MlKem768PrivateKey Generate() => new(SecretBytes.Random(SeedSize));

    /// <summary>Restores a key from its seed (FIPS 203 section 7.1).</summary>
    /// <param name="seed">The seed, 64 bytes; it is copied.</param>
    /// <returns>A key owned by the caller.</returns>
    /// <exception cref="ArgumentException">The seed is not 64 bytes long.</exception>
    public static MlKem768PrivateKey FromSeed(ReadOnlySpan<byte> seed)
    {
        Require.Length(seed, SeedSize);
        return new MlKem768PrivateKey(new SecretBytes(seed));
    }

    /// <summary>Gives the seed, for storage under protection.</summary>
    /// <returns>The seed, 64 bytes, owned by the caller.</returns>
    /// <exception cref="ObjectDisposedException">This key was disposed.</exception>
    public SecretBytes ExportSeed() => _seed.Clone();

    /// <summary>
    /// Recovers a shared secret (FIPS 203 section 7.3). A well-formed ciphertext that was not made for this key
    /// gives an unrelated secret and not a failure: what is sealed under the secret shows the difference.
    /// </summary>
    /// <param name="ciphertext">The ciphertext, 1088 bytes.</param>
    /// <param name="sharedSecret">Receives the shared secret, 32 bytes; zeroed on failure.</param>
    /// <returns>False where the ciphertext has another length.</returns>
    /// <exception cref="ArgumentException"><paramref name="sharedSecret"/> is not 32 bytes long.</exception>
    /// <exception cref="ObjectDisposedException">This key was disposed.</exception>
    public bool TryDecapsulate(ReadOnlySpan<byte> ciphertext, Span<byte> sharedSecret)
    {
        Require.Length(sharedSecret, MlKem768.SharedSecretSize);
        if (ciphertext.Length == MlKem768.CiphertextSize
            && SodiumNative.crypto_kem_mlkem768_dec(sharedSecret, ciphertext, _expanded.Span) == 0)
        {
            return true;
        }

        sharedSecret.Clear();
        return false;
    }

    /// <summary>Erases the private key.</summary>
    public void Dispose()
    {
        _seed.Dispose();
        _expanded.Dispose();
    }

    /// <summary>Never shows the key.</summary>
    /// <returns>The text <c>[redacted]</c>.</returns>
    public override string ToString() => Redacted.Text;
}
