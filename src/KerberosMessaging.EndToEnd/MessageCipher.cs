using System.Security.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// Encryption of one message under its own message key, as Double Ratchet, section 5.2 recommends it for ENCRYPT:
/// <code>
/// HKDF-SHA-256(salt = 32 zero bytes, ikm = mk, info = "kmsg/25 message key", 80 bytes)
///     → encryption key (32) || authentication key (32) || IV (16)
/// ciphertext = AES-256-CBC(encryption key, IV, PKCS#7)
/// tag        = HMAC-SHA-256(authentication key, AD || message id || every byte of the envelope before the tag)
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
        ReadOnlySpan<byte> messageKey,
        ReadOnlySpan<byte> plaintext,
        ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> messageId,
        Span<byte> envelope,
        int headerSize)
    {
        Span<byte> derived = stackalloc byte[DerivedSize];
        Derive(messageKey, derived);
        using (var aes = Aes.Create())
        {
            aes.SetKey(EncryptionKey(derived));
            aes.EncryptCbc(plaintext, Iv(derived), envelope[headerSize..^EnvelopeFormat.TagSize], PaddingMode.PKCS7);
        }

        ComputeTag(
            derived,
            associatedData,
            messageId,
            envelope[..^EnvelopeFormat.TagSize],
            envelope[^EnvelopeFormat.TagSize..]);
        CryptographicOperations.ZeroMemory(derived);
    }

    public static DecryptResult Open(
        ReadOnlySpan<byte> messageKey,
        in Envelope envelope,
        ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> messageId,
        out byte[] plaintext)
    {
        plaintext = [];
        Span<byte> derived = stackalloc byte[DerivedSize];
        Derive(messageKey, derived);
        Span<byte> tag = stackalloc byte[EnvelopeFormat.TagSize];
        ComputeTag(derived, associatedData, messageId, envelope.Authenticated, tag);

        // The padding is looked at only after this, so that its validity tells an attacker nothing.
        var result = CryptographicOperations.FixedTimeEquals(tag, envelope.Tag)
            ? Decrypt(derived, envelope.Ciphertext, out plaintext)
            : DecryptResult.BadMac;
        CryptographicOperations.ZeroMemory(derived);
        return result;
    }

    private static DecryptResult Decrypt(ReadOnlySpan<byte> derived, ReadOnlySpan<byte> ciphertext, out byte[] plaintext)
    {
        plaintext = [];
        var buffer = new byte[ciphertext.Length];
        try
        {
            using var aes = Aes.Create();
            aes.SetKey(EncryptionKey(derived));
            var size = aes.DecryptCbc(ciphertext, Iv(derived), buffer, PaddingMode.PKCS7);
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

    private static void Derive(ReadOnlySpan<byte> messageKey, Span<byte> derived)
    {
        Span<byte> salt = stackalloc byte[SHA256.HashSizeInBytes];
        salt.Clear();
        HKDF.DeriveKey(HashAlgorithmName.SHA256, messageKey, derived, salt, Labels.MessageKey);
    }

    private static ReadOnlySpan<byte> EncryptionKey(ReadOnlySpan<byte> derived) => derived[..EncryptionKeySize];

    private static ReadOnlySpan<byte> AuthenticationKey(ReadOnlySpan<byte> derived) =>
        derived.Slice(EncryptionKeySize, AuthenticationKeySize);

    private static ReadOnlySpan<byte> Iv(ReadOnlySpan<byte> derived) => derived[^IvSize..];

    private static void ComputeTag(
        ReadOnlySpan<byte> derived,
        ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> messageId,
        ReadOnlySpan<byte> authenticated,
        Span<byte> tag)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, AuthenticationKey(derived));
        hmac.AppendData(associatedData);
        hmac.AppendData(messageId);
        hmac.AppendData(authenticated);
        hmac.GetHashAndReset(tag);
    }
}
