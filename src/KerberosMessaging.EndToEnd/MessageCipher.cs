using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// Encryption of one message under its own message key, as Double Ratchet, section 5.2 recommends it for ENCRYPT:
/// <code>
/// HKDF-SHA-256(salt = 32 zero bytes, ikm = mk, info = "kmsg/25 message key", 80 bytes)
///     → encryption key (32) || authentication key (32) || IV (16)
/// ciphertext = AES-256-CBC(encryption key, IV, PKCS#7)
/// tag        = HMAC-SHA-256(authentication key, AD || every byte of the envelope before the tag)
/// </code>
/// A message key encrypts one message and is then erased, so a key is never used with two IVs, nor an IV twice.
/// </summary>
internal static class MessageCipher
{
    private const int EncryptionKeySize = 32;
    private const int AuthenticationKeySize = 32;
    private const int IvSize = 16;
    private const int DerivedSize = EncryptionKeySize + AuthenticationKeySize + IvSize;

    public static int CiphertextSize(int plaintextSize) =>
        checked(plaintextSize - (plaintextSize % EnvelopeFormat.BlockSize) + EnvelopeFormat.BlockSize);

    /// <summary>Fills the end of an envelope whose first <paramref name="headerSize"/> bytes are in place.</summary>
    public static void Seal(
        SecretBytes messageKey,
        ReadOnlySpan<byte> plaintext,
        ReadOnlySpan<byte> associatedData,
        Span<byte> envelope,
        int headerSize)
    {
        using var derived = Derive(messageKey);
        using (var aes = Aes.Create())
        {
            aes.SetKey(EncryptionKey(derived));
            aes.EncryptCbc(plaintext, Iv(derived), envelope[headerSize..^EnvelopeFormat.TagSize], PaddingMode.PKCS7);
        }

        ComputeTag(
            derived,
            associatedData,
            envelope[..^EnvelopeFormat.TagSize],
            envelope[^EnvelopeFormat.TagSize..]);
    }

    public static DecryptResult Open(
        SecretBytes messageKey,
        in Envelope envelope,
        ReadOnlySpan<byte> associatedData,
        out byte[] plaintext)
    {
        plaintext = [];
        using var derived = Derive(messageKey);
        Span<byte> tag = stackalloc byte[EnvelopeFormat.TagSize];
        ComputeTag(derived, associatedData, envelope.Authenticated, tag);

        // The padding is looked at only after this, so that its validity tells an attacker nothing.
        if (!CryptographicOperations.FixedTimeEquals(tag, envelope.Tag))
        {
            return DecryptResult.BadMac;
        }

        var buffer = new byte[envelope.Ciphertext.Length];
        try
        {
            using var aes = Aes.Create();
            aes.SetKey(EncryptionKey(derived));
            var size = aes.DecryptCbc(envelope.Ciphertext, Iv(derived), buffer, PaddingMode.PKCS7);
            plaintext = buffer[..size];
            return DecryptResult.Ok;
        }
        catch (CryptographicException)
        {
            // Authentic and yet badly padded: the peer's program is at fault.
            return DecryptResult.Malformed;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private static SecretBytes Derive(SecretBytes messageKey)
    {
        Span<byte> salt = stackalloc byte[SHA256.HashSizeInBytes];
        salt.Clear();
        var derived = new SecretBytes(DerivedSize);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, messageKey.Span, derived.Span, salt, Labels.MessageKey);
        return derived;
    }

    private static ReadOnlySpan<byte> EncryptionKey(SecretBytes derived) => derived.Span[..EncryptionKeySize];

    private static ReadOnlySpan<byte> AuthenticationKey(SecretBytes derived) =>
        derived.Span.Slice(EncryptionKeySize, AuthenticationKeySize);

    private static ReadOnlySpan<byte> Iv(SecretBytes derived) => derived.Span[^IvSize..];

    private static void ComputeTag(
        SecretBytes derived,
        ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> authenticated,
        Span<byte> tag)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, AuthenticationKey(derived));
        hmac.AppendData(associatedData);
        hmac.AppendData(authenticated);
        hmac.GetHashAndReset(tag);
    }
}
