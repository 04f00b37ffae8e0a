using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>
/// The protocol written down a second time, straight from its description and sharing no code with the library but
/// the curve and the KEM: what it reads, another implementation can read too.
/// </summary>
internal static class Reference
{
    /// <summary>AD of PQXDH.</summary>
    public static byte[] AssociatedData(byte[] initiator, byte[] responder, byte[] kemPrekey, byte[] kemCiphertext) =>
        [.. "kmsg/25"u8, .. initiator, .. responder, .. SHA512.HashData(kemPrekey), .. SHA512.HashData(kemCiphertext)];

    /// <summary>SK of PQXDH.</summary>
    public static byte[] SharedKey(byte[] dh1, byte[] dh2, byte[] dh3, byte[] kemSecret) =>
        HKDF.DeriveKey(
            HashAlgorithmName.SHA512,
            [.. Enumerable.Repeat((byte)0xFF, 32), .. dh1, .. dh2, .. dh3, .. kemSecret],
            32,
            new byte[64],
            "kmsg/25 PQXDH X25519 SHA-512 ML-KEM-768"u8.ToArray());

    public static (byte[] RootKey, byte[] ChainKey) StepRoot(byte[] rootKey, byte[] agreed)
    {
        var output = HKDF.DeriveKey(HashAlgorithmName.SHA256, agreed, 64, rootKey, "kmsg/25 ratchet root"u8.ToArray());
        return (output[..32], output[32..]);
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

    public static byte[] Open(byte[] messageKey, byte[] associatedData, byte[] envelope, int ciphertextOffset)
    {
        var (encryption, authentication, iv) = MessageKeys(messageKey);
        byte[] authenticated = [.. associatedData, .. envelope[..^32]];
        Assert.Equal(HMACSHA256.HashData(authentication, authenticated), envelope[^32..]);
        using var aes = Aes.Create();
        aes.Key = encryption;
        return aes.DecryptCbc(envelope[ciphertextOffset..^32], iv);
    }

    /// <summary>Seals ready blocks without padding them, which the library never does.</summary>
    public static byte[] SealUnpadded(byte[] messageKey, byte[] associatedData, byte[] header, byte[] blocks)
    {
        var (encryption, authentication, iv) = MessageKeys(messageKey);
        using var aes = Aes.Create();
        aes.Key = encryption;
        byte[] envelope = [.. header, .. aes.EncryptCbc(blocks, iv, PaddingMode.None)];
        byte[] authenticated = [.. associatedData, .. envelope];
        return [.. envelope, .. HMACSHA256.HashData(authentication, authenticated)];
    }

    private static (byte[] Encryption, byte[] Authentication, byte[] Iv) MessageKeys(byte[] messageKey)
    {
        var output = HKDF.DeriveKey(HashAlgorithmName.SHA256, messageKey, 80, new byte[32], "kmsg/25 message key"u8.ToArray());
        return (output[..32], output[32..64], output[64..]);
    }
}
