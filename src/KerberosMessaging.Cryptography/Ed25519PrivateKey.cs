using NSec.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>An Ed25519 signing key (RFC 8032 section 5.1.5). Safe for use by several threads at once.</summary>
public sealed class Ed25519PrivateKey : IDisposable
{
    /// <summary>The size in bytes of the seed, from which the whole key follows.</summary>
    public const int SeedSize = 32;

    private readonly Key _key;

    private Ed25519PrivateKey(ReadOnlySpan<byte> seed)
    {
        _key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey, NSecKeys.Exportable);
        PublicKey = _key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
    }

    /// <summary>The public key, 32 bytes.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>Makes a new random key.</summary>
    /// <returns>A key owned by the caller.</returns>
    public static Ed25519PrivateKey Generate()
    {
        using var seed = SecretBytes.Random(SeedSize);
        return new Ed25519PrivateKey(seed.Span);
    }

    /// <summary>Restores a key from its seed.</summary>
    /// <param name="seed">The seed, 32 bytes; it is copied.</param>
    /// <returns>A key owned by the caller.</returns>
    /// <exception cref="ArgumentException">The seed is not 32 bytes long.</exception>
    public static Ed25519PrivateKey FromSeed(ReadOnlySpan<byte> seed)
    {
        Require.Length(seed, SeedSize);
        return new Ed25519PrivateKey(seed);
    }

    /// <summary>Gives the seed, for storage under protection.</summary>
    /// <returns>The seed, 32 bytes, owned by the caller.</returns>
    /// <exception cref="ObjectDisposedException">This key was disposed.</exception>
    public SecretBytes ExportSeed() => NSecKeys.Export(_key, SeedSize);

    /// <summary>Signs a message (RFC 8032 section 5.1.6).</summary>
    /// <param name="message">The bytes to sign.</param>
    /// <param name="signature">Receives the signature, 64 bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="signature"/> is not 64 bytes long.</exception>
    /// <exception cref="ObjectDisposedException">This key was disposed.</exception>
    public void Sign(ReadOnlySpan<byte> message, Span<byte> signature)
    {
        Require.Length(signature, Ed25519.SignatureSize);
        SignatureAlgorithm.Ed25519.Sign(_key, message, signature);
    }

    /// <summary>Signs a message (RFC 8032 section 5.1.6).</summary>
    /// <param name="message">The bytes to sign.</param>
    /// <returns>The signature, 64 bytes.</returns>
    /// <exception cref="ObjectDisposedException">This key was disposed.</exception>
    public byte[] Sign(ReadOnlySpan<byte> message)
    {
        var signature = new byte[Ed25519.SignatureSize];
        Sign(message, signature);
        return signature;
    }

    /// <summary>Erases the private key.</summary>
    public void Dispose() => _key.Dispose();

    /// <summary>Never shows the key.</summary>
    /// <returns>The text <c>[redacted]</c>.</returns>
    public override string ToString() => Redacted.Text;
}
