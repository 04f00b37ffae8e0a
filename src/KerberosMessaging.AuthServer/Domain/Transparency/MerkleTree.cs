using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace KerberosMessaging.AuthServer.Domain.Transparency;

/// <summary>Finds the hash of a whole subtree: of the leaves from <c>index × 2^level</c> on, <c>2^level</c> of them.</summary>
internal delegate ValueTask<byte[]> ReadNode(int level, long index);

/// <summary>
/// The Merkle tree of RFC 9162 section 2.1, over SHA-256. Whole subtrees never change once they are full, so their hashes are
/// kept, and whatever is asked takes as many of them as the tree is high.
/// </summary>
internal static class MerkleTree
{
    public const int HashSize = SHA256.HashSizeInBytes;

    /// <summary>The hash of a tree without leaves.</summary>
    public static byte[] Empty => SHA256.HashData([]);

    /// <summary>The hash of a leaf.</summary>
    public static byte[] HashLeaf(ReadOnlySpan<byte> leaf) => SHA256.HashData([0, .. leaf]);

    /// <summary>The hash of a node with two children.</summary>
    public static byte[] HashNode(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) => SHA256.HashData([1, .. left, .. right]);

    /// <summary>The root of the tree of the first leaves.</summary>
    /// <param name="size">How many leaves.</param>
    /// <param name="read">Finds whole subtrees.</param>
    public static ValueTask<byte[]> RootAsync(long size, ReadNode read) => size == 0 ? new(Empty) : HashAsync(0, size, read);

    /// <summary>What proves that a leaf is in the tree of the first leaves: PATH(m, D[n]) of section 2.1.3.1, from the leaf up.</summary>
    /// <param name="leaf">The leaf, less than <paramref name="size"/>.</param>
    /// <param name="size">How many leaves.</param>
    /// <param name="read">Finds whole subtrees.</param>
    public static async ValueTask<List<byte[]>> InclusionAsync(long leaf, long size, ReadNode read)
    {
        var path = new List<byte[]>();
        var (begin, end) = (0L, size);
        while (end - begin > 1)
        {
            var middle = begin + Split(end - begin);
            if (leaf < middle)
            {
                path.Add(await HashAsync(middle, end, read));
                end = middle;
            }
            else
            {
                path.Add(await HashAsync(begin, middle, read));
                begin = middle;
            }
        }

        path.Reverse();
        return path;
    }

    /// <summary>What proves that a tree only grew: PROOF(m, D[n]) of section 2.1.4.1. Nothing where it did not grow, or was empty.</summary>
    /// <param name="from">The older size.</param>
    /// <param name="to">The newer size, not less.</param>
    /// <param name="read">Finds whole subtrees.</param>
    public static async ValueTask<List<byte[]>> ConsistencyAsync(long from, long to, ReadNode read)
    {
        var path = new List<byte[]>();
        if (from == 0 || from == to)
        {
            return path;
        }

        var (begin, end, isWhole) = (0L, to, true);
        while (from != end)
        {
            var middle = begin + Split(end - begin);
            if (from <= middle)
            {
                path.Add(await HashAsync(middle, end, read));
                end = middle;
            }
            else
            {
                path.Add(await HashAsync(begin, middle, read));
                (begin, isWhole) = (middle, false);
            }
        }

        if (!isWhole)
        {
            path.Add(await HashAsync(begin, end, read));
        }

        path.Reverse();
        return path;
    }

    private static async ValueTask<byte[]> HashAsync(long begin, long end, ReadNode read)
    {
        var size = end - begin;
        if (BitOperations.IsPow2(size) && begin % size == 0)
        {
            var level = BitOperations.Log2((ulong)size);
            return await read(level, begin >> level);
        }

        var middle = begin + Split(size);
        var left = await HashAsync(begin, middle, read);
        var right = await HashAsync(middle, end, read);
        return HashNode(left, right);
    }

    // The largest power of two that is less than a size of at least 2.
    private static long Split(long size) => 1L << BitOperations.Log2((ulong)(size - 1));

    /// <summary>What the realm signs of a tree: a label, the size, the time in milliseconds since 1970 (8 bytes each, big-endian) and the root.</summary>
    public static byte[] SignedHead(long size, DateTimeOffset at, ReadOnlySpan<byte> root)
    {
        var label = "kmsg/25 transparency head\0"u8;
        var head = new byte[label.Length + sizeof(long) + sizeof(long) + HashSize];
        label.CopyTo(head);
        BinaryPrimitives.WriteInt64BigEndian(head.AsSpan(label.Length), size);
        BinaryPrimitives.WriteInt64BigEndian(head.AsSpan(label.Length + sizeof(long)), at.ToUnixTimeMilliseconds());
        root.CopyTo(head.AsSpan(^HashSize..));
        return head;
    }
}
