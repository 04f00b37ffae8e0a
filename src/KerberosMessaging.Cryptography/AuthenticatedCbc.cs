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
/// The 64-byte key is the MAC key (32) followed by the encryption key (32). An instance keeps its key schedules, which
/// makes short records cheap, and is not safe for use by several threads at once.
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

    // Most records need one call a step with this much, and a thread spares it easily.
    private const int WorkSize = 4096;

    // The kept transforms take arrays and no spans. Nothing that was put here is left here in clear.
    [ThreadStatic]
    private static byte[]? _work;

    private readonly byte[] _encryptionKey = GC.AllocateUninitializedArray<byte>(HalfKeySize, pinned: true);
    private readonly IncrementalHash _mac;

    // Made at their first use: most instances go one way only, and an idle connection must not hold what it does not use.
    private ICryptoTransform? _encryptor;
    private ICryptoTransform? _decryptor;
    private bool _disposed;

    /// <summary>Prepares sealing and opening under one key, which is copied.</summary>
    /// <param name="key">The key, 64 bytes.</param>
    /// <exception cref="ArgumentException">The key is not 64 bytes long.</exception>
    public AuthenticatedCbc(ReadOnlySpan<byte> key)
    {
        Require.Length(key, KeySize);
        _mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, key[..HalfKeySize]);
        key[HalfKeySize..].CopyTo(_encryptionKey);
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
        ObjectDisposedException.ThrowIf(_disposed, this);
        Require.Length(destination, SealedLength(plaintext.Length));
        Encrypt(plaintext, destination[..^TagSize]);
        ComputeTag(associatedData, destination[..^TagSize], destination[^TagSize..]);
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
        ObjectDisposedException.ThrowIf(_disposed, this);
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
        var padded = destination[..ciphertext.Length];
        Decrypt(sealedData[..^TagSize], padded);
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
        _disposed = true;
        CryptographicOperations.ZeroMemory(_encryptionKey);
        _encryptor?.Dispose();
        _decryptor?.Dispose();
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
        using var aes = Aes.Create();
        aes.SetKey(_encryptionKey);
        aes.EncryptCbc(plaintext, iv, destination[IvSize..^TagSize], PaddingMode.PKCS7);
        ComputeTag(associatedData, destination[..^TagSize], destination[^TagSize..]);
    }

    private static bool HasPossibleLength(ReadOnlySpan<byte> sealedData) =>
        sealedData.Length >= MinimumSealedSize && sealedData.Length % BlockSize == 0;

    private static byte[] Work() => _work ??= GC.AllocateUninitializedArray<byte>(WorkSize, pinned: true);

    // Without padding a transform gives every block that it takes at once, and holds none back.
    private static Aes Unpadded()
    {
        var aes = Aes.Create();
        aes.Mode = CipherMode.CBC;
        aes.Padding = PaddingMode.None;
        return aes;
    }

    private ICryptoTransform CreateEncryptor()
    {
        using var aes = Unpadded();
        return aes.CreateEncryptor(_encryptionKey, new byte[IvSize]);
    }

    private ICryptoTransform CreateDecryptor()
    {
        using var aes = Unpadded();
        return aes.CreateDecryptor(_encryptionKey, new byte[IvSize]);
    }

    /// <summary>
    /// Writes vector and ciphertext. A transform cannot be given a new vector, and a new transform for each record costs more
    /// than a short record itself; so one goes on for ever, and each record begins with a fresh random block R, whose
    /// ciphertext is the record's vector: IV = AES(R xor C), where C is the last block of the record before (zero at first).
    /// What follows is ordinary CBC under that IV. R is uniformly random, independent of C and of every plaintext, and
    /// never seen by anybody; so R xor C is uniformly random, and so is its image under AES, which permutes the blocks.
    /// The vector is therefore what CBC needs: as random as R itself, and nobody can predict it when the plaintext is
    /// chosen. 128 random bits also never repeat within the number of records one key is allowed.
    /// </summary>
    private void Encrypt(ReadOnlySpan<byte> plaintext, Span<byte> ivAndCiphertext)
    {
        _encryptor ??= CreateEncryptor();
        var work = Work();
        InitialisationVectors.Next(work.AsSpan(0, IvSize));
        var filled = IvSize;
        while (plaintext.Length >= work.Length - filled)
        {
            var taken = work.Length - filled;
            plaintext[..taken].CopyTo(work.AsSpan(filled));
            plaintext = plaintext[taken..];
            _encryptor.TransformBlock(work, 0, work.Length, work, 0);
            work.CopyTo(ivAndCiphertext);
            ivAndCiphertext = ivAndCiphertext[work.Length..];
            filled = 0;
        }

        // PKCS #7: 1 to 16 bytes, each of which is their number. There is room: the loop left less than fills the array.
        plaintext.CopyTo(work.AsSpan(filled));
        filled += plaintext.Length;
        var padding = BlockSize - filled % BlockSize;
        work.AsSpan(filled, padding).Fill((byte)padding);
        filled += padding;
        _encryptor.TransformBlock(work, 0, filled, work, 0);
        work.AsSpan(0, filled).CopyTo(ivAndCiphertext);
    }

    /// <summary>
    /// Decrypts all blocks, padding included. The transform goes on from record to record; it is fed the vector first, and
    /// what comes out for it is thrown away. After that its state is the vector, whatever came before.
    /// </summary>
    private void Decrypt(ReadOnlySpan<byte> ivAndCiphertext, Span<byte> padded)
    {
        _decryptor ??= CreateDecryptor();
        var work = Work();
        var used = Math.Min(ivAndCiphertext.Length, work.Length);
        for (var skipped = IvSize; !ivAndCiphertext.IsEmpty; skipped = 0)
        {
            var taken = Math.Min(ivAndCiphertext.Length, work.Length);
            ivAndCiphertext[..taken].CopyTo(work);
            ivAndCiphertext = ivAndCiphertext[taken..];
            _decryptor.TransformBlock(work, 0, taken, work, 0);
            work.AsSpan(skipped, taken - skipped).CopyTo(padded);
            padded = padded[(taken - skipped)..];
        }

        CryptographicOperations.ZeroMemory(work.AsSpan(0, used));
    }

    private void ComputeTag(
        ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ivAndCiphertext, Span<byte> tag)
    {
        Span<byte> bitLength = stackalloc byte[sizeof(ulong)];
        Span<byte> full = stackalloc byte[SHA512.HashSizeInBytes];
        BinaryPrimitives.WriteUInt64BigEndian(bitLength, (ulong)associatedData.Length * 8);
        var total = (long)associatedData.Length + ivAndCiphertext.Length + bitLength.Length;
        if (total <= WorkSize)
        {
            // One call of the framework instead of three, for each of which it would pay more than for the copy.
            var work = Work().AsSpan(0, (int)total);
            associatedData.CopyTo(work);
            ivAndCiphertext.CopyTo(work[associatedData.Length..]);
            bitLength.CopyTo(work[^bitLength.Length..]);
            _mac.AppendData(work);
        }
        else
        {
            _mac.AppendData(associatedData);
            _mac.AppendData(ivAndCiphertext);
            _mac.AppendData(bitLength);
        }

        _mac.GetHashAndReset(full);
        full[..TagSize].CopyTo(tag);
        CryptographicOperations.ZeroMemory(full);
    }
}
