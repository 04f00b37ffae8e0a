using KerberosMessaging.AuthServer.Domain.Transparency;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>Checks proofs as somebody who has no tree does: the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2.</summary>
internal static class MerkleProof
{
    public static bool IsIncluded(byte[] leafHash, long leaf, long size, IReadOnlyList<byte[]> path, byte[] root)
    {
        if (leaf >= size)
        {
            return false;
        }

        var (fn, sn, r) = (leaf, size - 1, leafHash);
        foreach (var p in path)
        {
            if (sn == 0)
            {
                return false;
            }

            if ((fn & 1) == 1 || fn == sn)
            {
                r = MerkleTree.HashNode(p, r);
                while ((fn & 1) == 0 && fn != 0)
                {
                    (fn, sn) = (fn >> 1, sn >> 1);
                }
            }
            else
            {
                r = MerkleTree.HashNode(r, p);
            }

            (fn, sn) = (fn >> 1, sn >> 1);
        }

        return sn == 0 && r.AsSpan().SequenceEqual(root);
    }

    public static bool IsConsistent(long from, long to, IReadOnlyList<byte[]> path, byte[] older, byte[] newer)
    {
        if (from == to)
        {
            return path.Count == 0 && older.AsSpan().SequenceEqual(newer);
        }

        List<byte[]> hashes = (from & (from - 1)) == 0 ? [older, .. path] : [.. path];
        if (hashes.Count == 0)
        {
            return false;
        }

        var (fn, sn) = (from - 1, to - 1);
        while ((fn & 1) == 1)
        {
            (fn, sn) = (fn >> 1, sn >> 1);
        }

        var (fr, sr) = (hashes[0], hashes[0]);
        foreach (var c in hashes.Skip(1))
        {
            if (sn == 0)
            {
                return false;
            }

            if ((fn & 1) == 1 || fn == sn)
            {
                fr = MerkleTree.HashNode(c, fr);
                sr = MerkleTree.HashNode(c, sr);
                while ((fn & 1) == 0 && fn != 0)
                {
                    (fn, sn) = (fn >> 1, sn >> 1);
                }
            }
            else
            {
                sr = MerkleTree.HashNode(sr, c);
            }

            (fn, sn) = (fn >> 1, sn >> 1);
        }

        return sn == 0 && fr.AsSpan().SequenceEqual(older) && sr.AsSpan().SequenceEqual(newer);
    }
}
