using System.Security.Cryptography;
using NSec.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>An X25519 private key (RFC 7748 section 5). Safe for use by several threads at once.</summary>
public sealed class X25519PrivateKey : IDisposable
{
    /// <summary>The size in bytes of a private key, of a public key and of a shared secret.</summary>
    public const int Size = 32;

    private readonly Key _key;

    private X25519PrivateKey(ReadOnlySpan<byte> privateKey)
    {
        _key = Key.Import(KeyAgreementAlgorithm.X25519, privateKey, KeyBlobFormat.RawPrivateKey, NSecKeys.Exportable);
        PublicKey = _key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
    }

    /// <summary>The public key, 32 bytes.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>Makes a new random key.</summary>
    /// <returns>A key owned by the caller.</returns>
    public static X25519PrivateKey Generate()
    {
        using var privateKey = SecretBytes.Random(Size);
        return new X25519PrivateKey(privateKey.Span);
    }

    /// <summary>Restores a key from its bytes.</summary>
    /// <param name="privateKey">The private key, 32 bytes; it is copied.</param>
    /// <returns>A key owned by the caller.</returns>
    /// <exception cref="ArgumentException">The private key is not 32 bytes long.</exception>
    public static X25519PrivateKey FromBytes(ReadOnlySpan<byte> privateKey)
    {
        Require.Length(privateKey, Size);
        return new X25519PrivateKey(privateKey);
    }

    /// <summary>Gives the private key, for storage under protection.</summary>
    /// <returns>The private key, 32 bytes, owned by the caller.</returns>
    /// <exception cref="ObjectDisposedException">This key was disposed.</exception>
    public SecretBytes Export() => NSecKeys.Export(_key, Size);

    /// <summary>Agrees on a secret with the holder of another key (RFC 7748 section 6.1).</summary>
    /// <param name="peerPublicKey">The other side's public key, 32 bytes.</param>
    /// <param name="sharedSecret">Receives the shared secret, 32 bytes; zeroed where the key was refused.</param>
    /// <returns>
    /// False where the public key has another length or is of low order, so that the secret would be all zero and
    /// known to everyone.
    /// </returns>
    /// <exception cref="ArgumentException"><paramref name="sharedSecret"/> is not 32 bytes long.</exception>
    /// <exception cref="ObjectDisposedException">This key was disposed.</exception>
    public bool TryAgree(ReadOnlySpan<byte> peerPublicKey, Span<byte> sharedSecret)
    {
        Require.Length(sharedSecret, Size);
        sharedSecret.Clear();
        if (peerPublicKey.Length != Size
            || !NSec.Cryptography.PublicKey.TryImport(
                KeyAgreementAlgorithm.X25519, peerPublicKey, KeyBlobFormat.RawPublicKey, out var peer)
            || peer is null)
        {
            return false;
        }

        var parameters = new SharedSecretCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport };
        using var agreed = KeyAgreementAlgorithm.X25519.Agree(_key, peer, parameters);
        if (agreed is null)
        {
            return false;
        }

        return agreed.TryExport(SharedSecretBlobFormat.RawSharedSecret, sharedSecret, out var written) && written == Size
            ? true
            : throw new CryptographicException("The shared secret could not be exported.");
    }

    /// <summary>Erases the private key.</summary>
    public void Dispose() => _key.Dispose();

    /// <summary>Never shows the key.</summary>
    /// <returns>The text <c>[redacted]</c>.</returns>
    public override string ToString() => Redacted.Text;
}
