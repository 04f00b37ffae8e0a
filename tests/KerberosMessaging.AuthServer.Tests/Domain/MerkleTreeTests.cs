using KerberosMessaging.AuthServer.Domain.Transparency;
using KerberosMessaging.AuthServer.Tests.Support;

namespace KerberosMessaging.AuthServer.Tests.Domain;

public sealed class MerkleTreeTests
{
    // Leaves and roots that implementations of RFC 6962 are checked with; RFC 9162 hashes alike.
    private static readonly string[] KnownLeaves =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    private static readonly string[] KnownRoots =
    [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    [Fact]
    public async Task Known_leaves_have_the_known_roots()
    {
        var leaves = KnownLeaves.Select(static leaf => MerkleTree.HashLeaf(Convert.FromHexString(leaf))).ToArray();

        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Convert.ToHexStringLower(MerkleTree.Empty));
        for (var size = 1; size <= KnownRoots.Length; size++)
        {
            Assert.Equal(KnownRoots[size - 1], Convert.ToHexStringLower(await MerkleTree.RootAsync(size, Reader(leaves))));
        }
    }

    [Fact]
    public async Task Every_leaf_of_every_small_tree_is_proven_and_no_other_is()
    {
        var leaves = Leaves(33);
        for (var size = 1; size <= leaves.Length; size++)
        {
            var root = await MerkleTree.RootAsync(size, Reader(leaves));
            for (var leaf = 0; leaf < size; leaf++)
            {
                var path = await MerkleTree.InclusionAsync(leaf, size, Reader(leaves));
                Assert.True(MerkleProof.IsIncluded(leaves[leaf], leaf, size, path, root));
                Assert.False(MerkleProof.IsIncluded(leaves[(leaf + 1) % leaves.Length], leaf, size, path, root));
            }
        }
    }

    [Fact]
    public async Task Every_small_tree_is_proven_to_have_grown_to_every_larger_one()
    {
        var leaves = Leaves(33);
        var forged = Leaves(33);
        forged[0] = MerkleTree.HashLeaf("another"u8);
        for (var to = 1; to <= leaves.Length; to++)
        {
            var root = await MerkleTree.RootAsync(to, Reader(leaves));
            for (var from = 1; from <= to; from++)
            {
                var path = await MerkleTree.ConsistencyAsync(from, to, Reader(leaves));
                Assert.True(MerkleProof.IsConsistent(from, to, path, await MerkleTree.RootAsync(from, Reader(leaves)), root));
                Assert.False(MerkleProof.IsConsistent(from, to, path, await MerkleTree.RootAsync(from, Reader(forged)), root));
            }
        }
    }

    private static byte[][] Leaves(int count) => [.. Enumerable.Range(0, count).Select(static i => MerkleTree.HashLeaf([(byte)i]))];

    // Hashes of full subtrees, by the definition and not by the code under test.
    private static ReadNode Reader(byte[][] leaves) => (level, index) => new(Full(leaves, level, index));

    private static byte[] Full(byte[][] leaves, int level, long index) => level == 0
        ? leaves[index]
        : MerkleTree.HashNode(Full(leaves, level - 1, index * 2), Full(leaves, level - 1, (index * 2) + 1));
}
