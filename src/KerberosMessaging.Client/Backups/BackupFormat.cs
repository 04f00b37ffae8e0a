using System.Buffers.Binary;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Client.Backups;

/// <summary>
/// A backup file: a header in clear, then content that is cut into chunks and sealed.
/// <code>
///  0                    15        16          17           21            25         41
///  +--------------------+---------+-----------+------------+-------------+----------+--------+--------+- - -
///  | "kmsg/25 backup" 0 | version | algorithm | iterations | memory, KiB | salt     | chunk  | chunk  |
///  | (15)               | (1) = 1 | (1)       | (4)        | (4)         | (16)     | 0      | 1      |
///  +--------------------+---------+-----------+------------+-------------+----------+--------+--------+- - -
/// </code>
/// The key of the chunks comes from the passphrase, stretched with the salt, and from the whole header, so that no byte of it can be
/// changed. Each chunk is sealed with its place bound in, so that one that was moved or left off the end is refused:
/// <code>
///  0                          20          28        29
///  +--------------------------+-----------+---------+
///  | "kmsg/25 backup part" 0  | index     | is last |
///  | (20)                     | (8)       | (1)     |
///  +--------------------------+-----------+---------+
/// </code>
/// Every chunk but the last is full, and the last is full where the size is a multiple of a chunk. The content is records (see
/// <see cref="BackupContent"/>):
/// <code>
///  0      1        5
///  +------+--------+------+
///  | tag  | length | body |
///  | (1)  | (4)    |      |
///  +------+--------+------+
/// </code>
/// </summary>
internal static class BackupFormat
{
    public const int HeaderSize = SaltAt + PassphraseKey.SaltSize;

    /// <summary>Bytes of content in a full chunk.</summary>
    public const int ChunkSize = 64 * 1024;

    /// <summary>Most bytes of a record's body, which is held in memory as a whole; no message comes near.</summary>
    public const int LargestBody = 1024 * 1024;

    /// <summary>Bytes in front of a record's body.</summary>
    public const int RecordHeaderSize = 5;

    private const byte Version = 1;
    private const int VersionAt = 15;
    private const int AlgorithmAt = 16;
    private const int IterationsAt = 17;
    private const int MemoryAt = 21;
    private const int SaltAt = 25;
    private const int IndexAt = 20;
    private const int LastAt = 28;
    private const int PlaceSize = 29;
    private const string KeyLabel = "kmsg/25 backup key";

    /// <summary>Bytes of a full chunk when it is sealed.</summary>
    public static readonly int SealedChunkSize = AuthenticatedCbc.SealedLength(ChunkSize);

    private static ReadOnlySpan<byte> Magic => "kmsg/25 backup\0"u8;

    /// <summary>Makes the header of a new backup, with a salt of its own.</summary>
    public static byte[] NewHeader(StretchingParameters stretching)
    {
        var header = new byte[HeaderSize];
        Magic.CopyTo(header);
        header[VersionAt] = Version;
        header[AlgorithmAt] = (byte)stretching.Algorithm;
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(IterationsAt), stretching.Iterations);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(MemoryAt), stretching.MemoryKiB);
        RandomNumberGenerator.Fill(header.AsSpan(SaltAt));
        return header;
    }

    /// <summary>Derives the key of the chunks.</summary>
    /// <exception cref="BackupException">
    /// The header is not one of this version, or asks for stretching that is weaker or costlier than allowed: whoever made the file
    /// must not exhaust this device.
    /// </exception>
    public static SecretBytes DeriveKey(ReadOnlySpan<byte> header, SecretBytes passphrase)
    {
        if (header.Length != HeaderSize || !header.StartsWith(Magic))
        {
            throw new BackupException("it is no backup");
        }

        if (header[VersionAt] != Version)
        {
            throw new BackupException("it was made by a newer version");
        }

        var stretching = new StretchingParameters(
            (StretchingAlgorithm)header[AlgorithmAt],
            BinaryPrimitives.ReadUInt32BigEndian(header[IterationsAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(header[MemoryAt..]));
        if (!stretching.IsAcceptable)
        {
            throw new BackupException("it asks for stretching of the passphrase that is weaker or costlier than allowed");
        }

        using var stretched = PassphraseKey.Derive(stretching, header[SaltAt..], passphrase.Span);
        var key = new SecretBytes(AuthenticatedCbc.KeySize);
        KeyDerivation.Expand(stretched.Span, KeyLabel, header, key.Span);
        return key;
    }

    /// <summary>What a chunk's seal covers beside its content.</summary>
    public static byte[] PlaceOf(long index, bool isLast)
    {
        var place = new byte[PlaceSize];
        "kmsg/25 backup part"u8.CopyTo(place);
        BinaryPrimitives.WriteInt64BigEndian(place.AsSpan(IndexAt), index);
        place[LastAt] = isLast ? (byte)1 : (byte)0;
        return place;
    }
}
