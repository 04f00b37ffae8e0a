using System.Buffers.Binary;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Blobs;

/// <summary>
/// How a blob's content is cut into chunks and sealed. Each chunk is sealed under the blob's own key with its place bound in, so
/// that one that was moved, exchanged or left off the end is refused:
/// <code>
///  0                  13           29          37        38
///  +------------------+------------+-----------+---------+
///  | "kmsg/25 blob" 0 | blob id    | index     | is last |
///  | (13)             | (16)       | (8)       | (1)     |
///  +------------------+------------+-----------+---------+
/// </code>
/// Every chunk but the last is full, and the last is full where the size is a multiple of a chunk. Empty content is one empty
/// chunk.
/// </summary>
internal static class BlobFormat
{
    /// <summary>Bytes of content in a full chunk.</summary>
    public const int ChunkSize = 64 * 1024;

    /// <summary>The largest content whose sealed size can be said.</summary>
    public const long LargestSize = 1L << 62;

    private const int BlobAt = 13;
    private const int IndexAt = 29;
    private const int LastAt = 37;
    private const int PlaceSize = 38;

    /// <summary>Bytes of a full chunk when it is sealed.</summary>
    public static readonly int SealedChunkSize = AuthenticatedCbc.SealedLength(ChunkSize);

    /// <summary>How many chunks content of a size has.</summary>
    public static long CountChunks(long size) => Math.Max(1, (size / ChunkSize) + (size % ChunkSize == 0 ? 0 : 1));

    /// <summary>How many bytes content of a size has when it is sealed.</summary>
    public static long SealedSize(long size)
    {
        var last = CountChunks(size) - 1;
        return (last * SealedChunkSize) + SealedLength(size, last);
    }

    /// <summary>How many bytes one of its chunks has when it is sealed.</summary>
    public static int SealedLength(long size, long index) =>
        AuthenticatedCbc.SealedLength((int)Math.Min(ChunkSize, size - (index * ChunkSize)));

    /// <summary>What a chunk's seal covers beside its content.</summary>
    public static byte[] PlaceOf(BlobId blob, long index, bool isLast)
    {
        var place = new byte[PlaceSize];
        "kmsg/25 blob"u8.CopyTo(place);
        blob.Value.TryWriteBytes(place.AsSpan(BlobAt..IndexAt), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(place.AsSpan(IndexAt), index);
        place[LastAt] = isLast ? (byte)1 : (byte)0;
        return place;
    }
}
