using System.Buffers.Binary;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>
/// An encrypted backup: a header in clear, then the tar file, cut into chunks and sealed.
/// <code>
///  0                            22        23        55
///  +----------------------------+---------+---------+--------+--------+- - -
///  | "kmsg/25 server backup" 0  | version | salt    | chunk  | chunk  |
///  | (22)                       | (1) = 1 | (32)    | 0      | 1      |
///  +----------------------------+---------+---------+--------+--------+- - -
///
///  key (64) = HKDF-SHA-512(salt = empty, backup key, label "kmsg/25 server backup key", context = header)
///  chunk    = A256CBC-HS512(key, content, associated data = its place)
/// </code>
/// Each chunk is sealed with its place bound in, so that one that was moved or left off the end is refused:
/// <code>
///  0                               27          35        36
///  +-------------------------------+-----------+---------+
///  | "kmsg/25 server backup part" 0| index     | is last |
///  | (27)                          | (8)       | (1)     |
///  +-------------------------------+-----------+---------+
/// </code>
/// Every chunk but the last is full, and the last is full where the size is a multiple of a chunk.
/// </summary>
internal static class SealedFormat
{
    /// <summary>The purpose of the derived key.</summary>
    public const string KeyLabel = "kmsg/25 server backup key";

    /// <summary>Bytes of the header.</summary>
    public const int HeaderSize = SaltAt + SaltSize;

    /// <summary>Bytes of content in a full chunk.</summary>
    public const int ChunkSize = 64 * 1024;

    private const byte Version = 1;
    private const int VersionAt = 22;
    private const int SaltAt = 23;
    private const int SaltSize = 32;
    private const int IndexAt = 27;
    private const int LastAt = 35;
    private const int PlaceSize = 36;

    /// <summary>Bytes of a full chunk when it is sealed.</summary>
    public static readonly int SealedChunkSize = AuthenticatedCbc.SealedLength(ChunkSize);

    private static ReadOnlySpan<byte> Magic => "kmsg/25 server backup\0"u8;

    /// <summary>Makes the header of a new backup, with a salt of its own.</summary>
    public static byte[] NewHeader()
    {
        var header = new byte[HeaderSize];
        Magic.CopyTo(header);
        header[VersionAt] = Version;
        RandomNumberGenerator.Fill(header.AsSpan(SaltAt));
        return header;
    }

    /// <summary>Whether a file that begins so is sealed.</summary>
    /// <exception cref="BackupException">It is, in a way that this version does not know or not as a whole.</exception>
    public static bool IsHeader(ReadOnlySpan<byte> start)
    {
        if (!start.StartsWith(Magic))
        {
            return false;
        }

        return start.Length < HeaderSize ? throw new BackupException("it ends in the middle")
            : start[VersionAt] != Version ? throw new BackupException("it was made by a newer version")
            : true;
    }

    /// <summary>What a chunk's seal covers beside its content.</summary>
    public static byte[] PlaceOf(long index, bool isLast)
    {
        var place = new byte[PlaceSize];
        "kmsg/25 server backup part"u8.CopyTo(place);
        BinaryPrimitives.WriteInt64BigEndian(place.AsSpan(IndexAt), index);
        place[LastAt] = isLast ? (byte)1 : (byte)0;
        return place;
    }
}
