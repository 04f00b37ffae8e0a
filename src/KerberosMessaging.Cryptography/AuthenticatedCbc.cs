using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>
/// AES-256-CBC with HMAC-SHA-512, encrypt-then-MAC: AEAD_AES_256_CBC_HMAC_SHA_512 of RFC 7518 section 5.2.5
/// ("A256CBC-HS512"), with the initialisation vector in front:
/// <code>
///  0           16                          n - 32        n
///  +-----------+---------------------------+-------------+
///  | IV (16)   | ciphertext (16 k, k >= 1) | tag (32)    |
///  +-----------+---------------------------+-------------+
///  tag = first 32 bytes of HMAC-SHA-512(MAC key, A || IV || ciphertext || bit length of A in 8 bytes)
/// </code>
/// The 64-byte key is the MAC key (32) followed by the encryption key (32). An instance keeps its key schedule and
/// is not safe for use by several threads at once.
/// </summary>
public sealed class AuthenticatedCbc : IDisposable
{
    /// <summary>The size of the key in bytes: MAC key (32), then encryption key (32).</summary>
    public const int KeySize = 64;

    /// <summary>The size of the initialisation vector in bytes.</summary>
    public const int IvSize = 16;

    /// <summary>The size of the authentication tag in bytes.</summary>
    public const int TagSize = 32;

    /// <summary>The size in bytes of the shortest sealed data, which holds an empty plaintext.</summary>
    public const int MinimumSealedSize = IvSize + BlockSize + TagSize;

    private const int BlockSize = 16;
    private const int HalfKeySize = KeySize / 2;
    private const int LargestPlaintext = int.MaxValue - MinimumSealedSize;

    private readonly Aes _aes;
    private readonly IncrementalHash _mac;

    /// <summary>Prepares sealing and opening under one key, which is copied.</summary>
    /// <param name="key">The key, 64 bytes.</param>
    /// <exception cref="ArgumentException">The key is not 64 bytes long.</exception>
    public AuthenticatedCbc(ReadOnlySpan<byte> key)
    {
        Require.Length(key, KeySize);
        _mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, key[..HalfKeySize]);
        _aes = Aes.Create();
        _aes.SetKey(key[HalfKeySize..]);
    }

    /// <summary>Says how long sealed data is: vector, padded plaintext and tag.</summary>
    /// <param name="plaintextLength">The length of the plaintext in bytes.</param>
    /// <returns>The length of the sealed data in bytes, 49 to 64 more than the plaintext's.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative or too large for one array.</exception>
    public static int SealedLength(int plaintextLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(plaintextLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plaintextLength, LargestPlaintext);
        return IvSize + ((plaintextLength / BlockSize) + 1) * BlockSize + TagSize;
    }

    /// <summary>Encrypts and authenticates under a key used once.</summary>
    /// <param name="key">The key, 64 bytes.</param>
    /// <param name="plaintext">What is to be hidden; may be empty.</param>
    /// <param name="associatedData">What is authenticated but not sent; may be empty.</param>
    /// <returns>The sealed data.</returns>
    /// <exception cref="ArgumentException">The key is not 64 bytes long.</exception>
    public static byte[] Seal(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData)
    {
        using var cipher = new AuthenticatedCbc(key);
        var sealedData = new byte[SealedLength(plaintext.Length)];
        cipher.Seal(plaintext, associatedData, sealedData.AsSpan());
        return sealedData;
    }

    /// <summary>Verifies and decrypts under a key used once.</summary>
    /// <param name="key">The key, 64 bytes.</param>
    /// <param name="sealedData">The data to open; any bytes are allowed.</param>
    /// <param name="associatedData">The associated data it must have been sealed with.</param>
    /// <param name="plaintext">The plaintext, or null where the data was refused.</param>
    /// <returns>False where the data was not sealed under this key and associated data.</returns>
    /// <exception cref="ArgumentException">The key is not 64 bytes long.</exception>
    public static bool TryOpen(
        ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> sealedData,
        ReadOnlySpan<byte> associatedData,
        [NotNullWhen(true)] out byte[]? plaintext)
    {
        using var cipher = new AuthenticatedCbc(key);
        plaintext = null;
        if (!HasPossibleLength(sealedData))
        {
            return false;
        }

        var buffer = new byte[sealedData.Length - IvSize - TagSize];
        var opened = cipher.TryOpen(sealedData, associatedData, buffer.AsSpan(), out var written);
        if (opened)
        {
            plaintext = buffer.AsSpan(0, written).ToArray();
        }

        CryptographicOperations.ZeroMemory(buffer);
        return opened;
    }

    /// <summary>Encrypts and authenticates, with a fresh random initialisation vector.</summary>
    /// <param name="plaintext">What is to be hidden; may be empty. Must not overlap the destination.</param>
    /// <param name="associatedData">What is authenticated but not sent; may be empty.</param>
    /// <param name="destination">Receives the sealed data: exactly <see cref="SealedLength"/> bytes.</param>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    /// <exception cref="ObjectDisposedException">This object was disposed.</exception>
    public void Seal(ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData, Span<byte> destination)
    {
        // CBC needs a vector nobody can predict before the plaintext is chosen; 128 random bits also never repeat
        // within the number of records one key is allowed.
        Span<byte> iv = stackalloc byte[IvSize];
        InitialisationVectors.Next(iv);
        Seal(plaintext, associatedData, iv, destination);
    }

    /// <summary>Verifies, then decrypts. Bad data is never an exception.</summary>
    /// <param name="sealedData">The data to open; any bytes are allowed.</param>
    /// <param name="associatedData">The associated data it must have been sealed with.</param>
    /// <param name="destination">
    /// Receives the plaintext: at least 48 bytes less than the sealed data's length, which is up to 16 more than
    /// the plaintext needs. Must not overlap the sealed data.
    /// </param>
    /// <param name="written">The length of the plaintext in bytes; zero where the data was refused.</param>
    /// <returns>False where the data was not sealed under this key and associated data.</returns>
    /// <exception cref="ArgumentException">The destination is too small.</exception>
    /// <exception cref="ObjectDisposedException">This object was disposed.</exception>
    public bool TryOpen(
        ReadOnlySpan<byte> sealedData, ReadOnlySpan<byte> associatedData, Span<byte> destination, out int written)
    {
        written = 0;
        if (!HasPossibleLength(sealedData))
        {
            return false;
        }

        var ciphertext = sealedData[IvSize..^TagSize];
        if (destination.Length < ciphertext.Length)
        {
            throw new ArgumentException($"At least {ciphertext.Length} bytes are needed.", nameof(destination));
        }

        // The tag is checked in constant time and before anything looks at the padding: an attacker who could tell
        // the two failures apart would have a padding oracle.
        Span<byte> expected = stackalloc byte[TagSize];
        ComputeTag(associatedData, sealedData[..^TagSize], expected);
        if (!CryptographicOperations.FixedTimeEquals(expected, sealedData[^TagSize..]))
        {
            return false;
        }

        // Padding is checked here and not by the framework, which throws. From here on the data is authentic, so
        // its timing tells nothing to anyone who lacks the key.
        var padded = destination[.._aes.DecryptCbc(ciphertext, sealedData[..IvSize], destination, PaddingMode.None)];
        var padding = padded[^1];
        if (padding is 0 or > BlockSize || padded[^padding..].ContainsAnyExcept(padding))
        {
            CryptographicOperations.ZeroMemory(padded);
            return false;
        }

        written = padded.Length - padding;
        return true;
    }

    /// <summary>Erases the keys.</summary>
    public void Dispose()
    {
        _aes.Dispose();
        _mac.Dispose();
    }

    /// <summary>Never shows the key.</summary>
    /// <returns>The text <c>[redacted]</c>.</returns>
    public override string ToString() => Redacted.Text;

    /// <summary>The form with a given vector, for published test vectors; a repeated vector leaks equal prefixes.</summary>
    internal void Seal(
        ReadOnlySpan<byte> plaintext,
        ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> iv,
        Span<byte> destination)
    {
        Require.Length(iv, IvSize);
        Require.Length(destination, SealedLength(plaintext.Length));
        iv.CopyTo(destination);
        _aes.EncryptCbc(plaintext, iv, destination[IvSize..^TagSize], PaddingMode.PKCS7);
        ComputeTag(associatedData, destination[..^TagSize], destination[^TagSize..]);
    }

    private static bool HasPossibleLength(ReadOnlySpan<byte> sealedData) =>
        sealedData.Length >= MinimumSealedSize && sealedData.Length % BlockSize == 0;

    private void ComputeTag(
        ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ivAndCiphertext, Span<byte> tag)
    {
        Span<byte> bitLength = stackalloc byte[sizeof(ulong)];
        Span<byte> full = stackalloc byte[SHA512.HashSizeInBytes];
        BinaryPrimitives.WriteUInt64BigEndian(bitLength, (ulong)associatedData.Length * 8);
        _mac.AppendData(associatedData);
        _mac.AppendData(ivAndCiphertext);
        _mac.AppendData(bitLength);
        _mac.GetHashAndReset(full);
        full[..TagSize].CopyTo(tag);
        CryptographicOperations.ZeroMemory(full);
    }
}
