using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>
/// An X-Wing decapsulation key (draft-connolly-cfrg-xwing-kem section 5.2). Safe for use by several threads at once.
/// </summary>
public sealed class XWingPrivateKey : IDisposable
{
    internal const int SeedSize = 32;

    // The draft's private key is the seed itself; it is expanded at every use.
    private readonly SecretBytes _privateKey = new(SeedSize);

    private XWingPrivateKey(ReadOnlySpan<byte> seed)
    {
        var publicKey = new byte[XWing.PublicKeySize];
        if (SodiumNative.crypto_kem_xwing_seed_keypair(publicKey, _privateKey.Span, seed) != 0)
        {
            Dispose();
            throw new CryptographicException("The key pair could not be derived.");
        }

        PublicKey = publicKey;
    }

    /// <summary>The public key, 1216 bytes.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>Makes a new random key.</summary>
    /// <returns>A key owned by the caller.</returns>
    public static XWingPrivateKey Generate()
    {
        using var seed = SecretBytes.Random(SeedSize);
        return new XWingPrivateKey(seed.Span);
    }

    /// <summary>
    /// Recovers a shared secret (draft section 5.5). A well-formed ciphertext that was not made for this key gives an
    /// unrelated secret and not a failure: what is sealed under the secret shows the difference.
    /// </summary>
    /// <param name="ciphertext">The ciphertext, 1120 bytes.</param>
    /// <param name="sharedSecret">Receives the shared secret, 32 bytes; zeroed on failure.</param>
    /// <returns>False where the ciphertext has another length or an X25519 part of low order.</returns>
    /// <exception cref="ArgumentException"><paramref name="sharedSecret"/> is not 32 bytes long.</exception>
    /// <exception cref="ObjectDisposedException">This key was disposed.</exception>
    public bool TryDecapsulate(ReadOnlySpan<byte> ciphertext, Span<byte> sharedSecret)
    {
        Require.Length(sharedSecret, XWing.SharedSecretSize);
        if (ciphertext.Length == XWing.CiphertextSize
            && SodiumNative.crypto_kem_xwing_dec(sharedSecret, ciphertext, _privateKey.Span) == 0)
        {
            return true;
        }

        sharedSecret.Clear();
        return false;
    }

    /// <summary>Erases the private key.</summary>
    public void Dispose() => _privateKey.Dispose();

    /// <summary>Never shows the key.</summary>
    /// <returns>The text <c>[redacted]</c>.</returns>
    public override string ToString() => Redacted.Text;

    /// <summary>For published test vectors: the keys of this system are made anew for every connection.</summary>
    internal static XWingPrivateKey FromSeed(ReadOnlySpan<byte> seed)
    {
        Require.Length(seed, SeedSize);
        return new XWingPrivateKey(seed);
    }
}
