namespace KerberosMessaging.Cryptography.Tests;

public sealed class X25519Tests
{
    private const string VectorName = "rfc7748-5-6.json";

    [Fact]
    public void Rfc7748_vectors_agree()
    {
        foreach (var vector in VectorFile.Cases<Vector>(VectorName))
        {
            using var key = X25519PrivateKey.FromBytes(vector.Scalar);
            var secret = new byte[32];
            Assert.True(key.TryAgree(vector.U, secret));
            Assert.Equal(vector.Output, secret);
            if (vector.PublicKey is not null)
            {
                Assert.Equal(vector.PublicKey, key.PublicKey.ToArray());
            }
        }
    }

    [Fact]
    public void Rfc7748_iterated_vector_agrees()
    {
        var expected = VectorFile.Read<IteratedFile>(VectorName).Iterated;
        byte[] k = [9, .. new byte[31]];
        var u = k;
        for (var round = 1; round <= 1000; round++)
        {
            using var key = X25519PrivateKey.FromBytes(k);
            var result = new byte[32];
            Assert.True(key.TryAgree(u, result));
            (k, u) = (result, k);
            if (round == 1)
            {
                Assert.Equal(expected.Once, k);
            }
        }

        Assert.Equal(expected.ThousandTimes, k);
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]
    [InlineData("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    public void Public_key_of_low_order_is_refused(string publicKey)
    {
        using var key = X25519PrivateKey.Generate();
        var secret = Bytes.Random(32);
        Assert.False(key.TryAgree(Convert.FromHexString(publicKey), secret));
        Assert.Equal(new byte[32], secret);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void Public_key_of_another_length_is_refused(int length)
    {
        using var key = X25519PrivateKey.Generate();
        Assert.False(key.TryAgree(Bytes.Random(length), new byte[32]));
    }

    [Fact]
    public void Both_sides_agree()
    {
        using var alice = X25519PrivateKey.Generate();
        using var bob = X25519PrivateKey.Generate();
        var first = new byte[32];
        var second = new byte[32];
        Assert.True(alice.TryAgree(bob.PublicKey.Span, first));
        Assert.True(bob.TryAgree(alice.PublicKey.Span, second));
        Assert.Equal(first, second);
    }

    [Fact]
    public void Exported_key_restores_the_key()
    {
        using var key = X25519PrivateKey.Generate();
        using var exported = key.Export();
        using var restored = X25519PrivateKey.FromBytes(exported.Span);
        Assert.Equal(key.PublicKey.ToArray(), restored.PublicKey.ToArray());
    }

    [Fact]
    public void Wrong_lengths_are_the_callers_mistake()
    {
        using var key = X25519PrivateKey.Generate();
        Assert.Throws<ArgumentException>(() => X25519PrivateKey.FromBytes(new byte[33]));
        Assert.Throws<ArgumentException>(() => key.TryAgree(new byte[32], new byte[31]));
    }

    private sealed record Vector(byte[] Scalar, byte[] U, byte[] Output, byte[]? PublicKey);

    private sealed record IteratedFile(Iterated Iterated);

    private sealed record Iterated(byte[] Once, byte[] ThousandTimes);
}
