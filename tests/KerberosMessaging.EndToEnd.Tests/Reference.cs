using System.Buffers.Binary;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>
/// The protocol written down a second time, straight from its description and sharing no code with the library but
/// the curve and the KEM: what it reads, another implementation can read too.
/// </summary>
internal static class Reference
{
    public const byte NoKemPart = 0;
    public const byte Offer = 1;
    public const byte Ciphertext = 2;

    /// <summary>AD of PQXDH.</summary>
    public static byte[] AssociatedData(byte[] initiator, byte[] responder, byte[] kemPrekey, byte[] kemCiphertext) =>
        [.. "kmsg/25"u8, .. initiator, .. responder, .. SHA512.HashData(kemPrekey), .. SHA512.HashData(kemCiphertext)];

    /// <summary>SK of PQXDH and the first header keys of both sides. DH4 is empty where there was no one-time prekey.</summary>
    public static (byte[] SharedKey, byte[] InitiatorHeaderKey, byte[] ResponderHeaderKey) SessionKeys(
        byte[] dh1, byte[] dh2, byte[] dh3, byte[] dh4, byte[] kemSecret)
    {
        var output = HKDF.DeriveKey(
            HashAlgorithmName.SHA512,
            [.. Enumerable.Repeat((byte)0xFF, 32), .. dh1, .. dh2, .. dh3, .. dh4, .. kemSecret],
            160,
            new byte[64],
            "kmsg/25 PQXDH X25519 SHA-512 ML-KEM-768"u8.ToArray());
        return (output[..32], output[32..96], output[96..]);
    }

    /// <summary>One step of the root chain. The secret of the KEM is empty in a step without one.</summary>
    public static (byte[] RootKey, byte[] ChainKey, byte[] NextHeaderKey) StepRoot(byte[] rootKey, byte[] agreed, byte[] kemSecret)
    {
        var label = kemSecret.Length == 0 ? "kmsg/25 ratchet root" : "kmsg/25 ratchet root ML-KEM-768";
        var output = HKDF.DeriveKey(
            HashAlgorithmName.SHA256, [.. agreed, .. kemSecret], 128, rootKey, System.Text.Encoding.ASCII.GetBytes(label));
        return (output[..32], output[32..64], output[64..]);
    }

    public static (byte[] MessageKey, byte[] ChainKey) StepChain(byte[] chainKey)
    {
        using var hmac = new HMACSHA256(chainKey);
        return (hmac.ComputeHash([0x01]), hmac.ComputeHash([0x02]));
    }

    public static byte[] Agree(byte[] privateKey, byte[] publicKey)
    {
        using var key = X25519PrivateKey.FromBytes(privateKey);
        var shared = new byte[32];
        Assert.True(key.TryAgree(publicKey, shared));
        return shared;
    }

    public static byte[] X25519Public(byte[] privateKey)
    {
        using var key = X25519PrivateKey.FromBytes(privateKey);
        return key.PublicKey.ToArray();
    }

    public static byte[] MlKemPublic(byte[] seed)
    {
        using var key = MlKem768PrivateKey.FromSeed(seed);
        return key.PublicKey.ToArray();
    }

    public static byte[] Decapsulate(byte[] seed, byte[] ciphertext)
    {
        using var key = MlKem768PrivateKey.FromSeed(seed);
        var secret = new byte[32];
        Assert.True(key.TryDecapsulate(ciphertext, secret));
        return secret;
    }

    /// <summary>The plaintext of a ratchet header.</summary>
    public static byte[] Header(byte[] ratchetKey, uint previousChainLength, uint number, byte kemPartKind, byte[] kemPart) =>
        [.. ratchetKey, .. BigEndian(previousChainLength), .. BigEndian(number), kemPartKind, .. kemPart];

    /// <summary>A256CBC-HS512 (RFC 7518, section 5.2.5) without associated data, the initialisation vector in front.</summary>
    public static byte[] SealHeader(byte[] headerKey, byte[] header)
    {
        using var aes = Aes.Create();
        aes.Key = headerKey[32..];
        var iv = RandomNumberGenerator.GetBytes(16);
        byte[] body = [.. iv, .. aes.EncryptCbc(header, iv)];
        return [.. body, .. HeaderTag(headerKey, body)];
    }

    /// <summary>Null where it was not sealed under this key.</summary>
    public static byte[]? OpenHeader(byte[] headerKey, byte[] sealedHeader)
    {
        if (!HeaderTag(headerKey, sealedHeader[..^32]).AsSpan().SequenceEqual(sealedHeader.AsSpan()[^32..]))
        {
            return null;
        }

        using var aes = Aes.Create();
        aes.Key = headerKey[32..];
        return aes.DecryptCbc(sealedHeader[16..^32], sealedHeader[..16]);
    }

    /// <summary>Null where the tag is not that of this key, associated data and message id.</summary>
    public static byte[]? Open(byte[] messageKey, byte[] associatedData, byte[] messageId, byte[] envelope)
    {
        var (encryption, authentication, iv) = MessageKeys(messageKey);
        byte[] authenticated = [.. associatedData, .. messageId, .. envelope[..^32]];
        if (!HMACSHA256.HashData(authentication, authenticated).AsSpan().SequenceEqual(envelope.AsSpan()[^32..]))
        {
            return null;
        }

        using var aes = Aes.Create();
        aes.Key = encryption;
        return aes.DecryptCbc(envelope[ReferenceEnvelope.Of(envelope).CiphertextAt..^32], iv);
    }

    /// <summary>An envelope around a sealed header. The prefix is all that comes before the header's length.</summary>
    public static byte[] Seal(
        byte[] messageKey, byte[] associatedData, byte[] messageId, byte[] prefix, byte[] sealedHeader, byte[] plaintext, bool pad = true)
    {
        var (encryption, authentication, iv) = MessageKeys(messageKey);
        using var aes = Aes.Create();
        aes.Key = encryption;
        byte[] envelope =
        [
            .. prefix,
            (byte)(sealedHeader.Length >> 8), (byte)sealedHeader.Length,
            .. sealedHeader,
            .. aes.EncryptCbc(plaintext, iv, pad ? PaddingMode.PKCS7 : PaddingMode.None),
        ];
        byte[] authenticated = [.. associatedData, .. messageId, .. envelope];
        return [.. envelope, .. HMACSHA256.HashData(authentication, authenticated)];
    }

    public static byte[] BigEndian(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private static (byte[] Encryption, byte[] Authentication, byte[] Iv) MessageKeys(byte[] messageKey)
    {
        var output = HKDF.DeriveKey(HashAlgorithmName.SHA256, messageKey, 80, new byte[32], "kmsg/25 message key"u8.ToArray());
        return (output[..32], output[32..64], output[64..]);
    }

    private static byte[] HeaderTag(byte[] headerKey, byte[] body) =>
        HMACSHA512.HashData(headerKey.AsSpan(0, 32), (byte[])[.. body, .. new byte[8]])[..32];
}

/// <summary>The parts of an envelope, cut out by the description.</summary>
internal sealed record ReferenceEnvelope(byte[] Prefix, byte[] SealedHeader, int CiphertextAt)
{
    public bool IsPrekey => Prefix[1] == 1;

    public byte[] SenderIdentity => Prefix[2..66];

    public uint SignedPrekeyId => BinaryPrimitives.ReadUInt32BigEndian(Prefix.AsSpan(66));

    public uint OneTimePrekeyId => BinaryPrimitives.ReadUInt32BigEndian(Prefix.AsSpan(70));

    public byte KemPrekeyKind => Prefix[74];

    public uint KemPrekeyId => BinaryPrimitives.ReadUInt32BigEndian(Prefix.AsSpan(75));

    public byte[] BaseKey => Prefix[79..111];

    public byte[] KemCiphertext => Prefix[111..1199];

    public byte[] Credentials => Prefix[1201..];

    public static ReferenceEnvelope Of(byte[] envelope)
    {
        Assert.Equal(2, envelope[0]);
        var headerSizeAt = envelope[1] == 1 ? 1201 + BinaryPrimitives.ReadUInt16BigEndian(envelope.AsSpan(1199)) : 2;
        var headerAt = headerSizeAt + 2;
        var headerEnd = headerAt + BinaryPrimitives.ReadUInt16BigEndian(envelope.AsSpan(headerSizeAt));
        return new ReferenceEnvelope(envelope[..headerSizeAt], envelope[headerAt..headerEnd], headerEnd);
    }
}
