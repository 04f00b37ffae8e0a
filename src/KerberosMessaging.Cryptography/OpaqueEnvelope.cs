using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>
/// The envelope (RFC 9807 section 4.1): a nonce and a tag. The client's private key is not inside it but follows
/// from the randomized password and the nonce; the tag proves that both and the server's public key are right.
/// </summary>
internal static class OpaqueEnvelope
{
    private const int LongestLabel = 10; // "PrivateKey"

    /// <summary>Store, RFC 9807 section 4.1.2. The envelope's nonce must already be in its place.</summary>
    internal static void Store(
        ReadOnlySpan<byte> randomizedPassword,
        ReadOnlySpan<byte> serverPublicKey,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> clientIdentity,
        Span<byte> envelope,
        Span<byte> clientPublicKey,
        Span<byte> exportKey)
    {
        Span<byte> privateKey = stackalloc byte[Ristretto255Group.ScalarSize];
        Seal(
            randomizedPassword,
            envelope[..Opaque.NonceSize],
            serverPublicKey,
            serverIdentity,
            clientIdentity,
            privateKey,
            clientPublicKey,
            exportKey,
            envelope[Opaque.NonceSize..]);
        CryptographicOperations.ZeroMemory(privateKey);
    }

    /// <summary>
    /// Recover, RFC 9807 section 4.1.3. False where the tag differs: the password is wrong or the server lies. The
    /// outputs are zeroed then.
    /// </summary>
    internal static bool TryRecover(
        ReadOnlySpan<byte> randomizedPassword,
        ReadOnlySpan<byte> serverPublicKey,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> clientIdentity,
        ReadOnlySpan<byte> envelope,
        Span<byte> clientPrivateKey,
        Span<byte> clientPublicKey,
        Span<byte> exportKey)
    {
        Span<byte> expected = stackalloc byte[Opaque.MacSize];
        Seal(
            randomizedPassword,
            envelope[..Opaque.NonceSize],
            serverPublicKey,
            serverIdentity,
            clientIdentity,
            clientPrivateKey,
            clientPublicKey,
            exportKey,
            expected);
        if (CryptographicOperations.FixedTimeEquals(expected, envelope[Opaque.NonceSize..]))
        {
            return true;
        }

        CryptographicOperations.ZeroMemory(clientPrivateKey);
        CryptographicOperations.ZeroMemory(clientPublicKey);
        CryptographicOperations.ZeroMemory(exportKey);
        return false;
    }

    private static void Seal(
        ReadOnlySpan<byte> randomizedPassword,
        ReadOnlySpan<byte> nonce,
        ReadOnlySpan<byte> serverPublicKey,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> clientIdentity,
        Span<byte> clientPrivateKey,
        Span<byte> clientPublicKey,
        Span<byte> exportKey,
        Span<byte> tag)
    {
        Span<byte> seed = stackalloc byte[Oprf.SeedSize];
        Span<byte> authKey = stackalloc byte[Opaque.MacSize];
        Expand(randomizedPassword, nonce, "AuthKey"u8, authKey);
        Expand(randomizedPassword, nonce, "ExportKey"u8, exportKey);
        Expand(randomizedPassword, nonce, "PrivateKey"u8, seed);
        OpaqueKeys.DeriveKeyPair(seed, clientPrivateKey, clientPublicKey);

        // The cleartext credentials of RFC 9807 section 4, with public keys for identities that are not given.
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, authKey);
        mac.AppendData(nonce);
        mac.AppendData(serverPublicKey);
        AppendWithLength(mac, serverIdentity.IsEmpty ? serverPublicKey : serverIdentity);
        AppendWithLength(mac, clientIdentity.IsEmpty ? clientPublicKey : clientIdentity);
        mac.GetHashAndReset(tag);
        CryptographicOperations.ZeroMemory(seed);
        CryptographicOperations.ZeroMemory(authKey);
    }

    private static void Expand(
        ReadOnlySpan<byte> randomizedPassword, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> label, Span<byte> output)
    {
        Span<byte> info = stackalloc byte[Opaque.NonceSize + LongestLabel];
        nonce.CopyTo(info);
        label.CopyTo(info[Opaque.NonceSize..]);
        KeyDerivation.ExpandRaw(randomizedPassword, info[..(Opaque.NonceSize + label.Length)], output);
    }

    private static void AppendWithLength(IncrementalHash hash, ReadOnlySpan<byte> value)
    {
        Span<byte> length = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)value.Length);
        hash.AppendData(length);
        hash.AppendData(value);
    }
}
