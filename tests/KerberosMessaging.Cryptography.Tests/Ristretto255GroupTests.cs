namespace KerberosMessaging.Cryptography.Tests;

public sealed class Ristretto255GroupTests
{
    private const string Order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

    // The identity, and encodings that RFC 9496 appendix A.2 and A.3 lists as invalid: not canonical or negative.
    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    [InlineData("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    public void Identity_and_bad_encodings_are_refused(string encoding)
    {
        var element = Convert.FromHexString(encoding);
        byte[] one = [1, .. new byte[31]];
        Assert.False(Ristretto255Group.IsValidElement(element));
        Assert.False(Ristretto255Group.TryMultiply(one, element, new byte[32]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void Element_of_another_length_is_refused(int length)
    {
        byte[] one = [1, .. new byte[31]];
        Assert.False(Ristretto255Group.IsValidElement(new byte[length]));
        Assert.False(Ristretto255Group.TryMultiply(one, new byte[length], new byte[32]));
    }

    [Fact]
    public void Only_reduced_scalars_other_than_zero_are_valid()
    {
        var order = Convert.FromHexString(Order);
        Assert.False(Ristretto255Group.IsValidScalar(order));
        Assert.False(Ristretto255Group.IsValidScalar(new byte[32]));
        Assert.False(Ristretto255Group.IsValidScalar(new byte[31]));
        Assert.True(Ristretto255Group.IsValidScalar(Bytes.Flip(order, 0)));
        Assert.True(Ristretto255Group.IsValidScalar([1, .. new byte[31]]));
    }

    [Fact]
    public void Inverse_undoes_multiplication()
    {
        var scalar = new byte[32];
        var inverse = new byte[32];
        var element = new byte[32];
        var product = new byte[32];
        Ristretto255Group.RandomScalar(scalar);
        Ristretto255Group.Invert(scalar, inverse);
        Ristretto255Group.HashToElement("input"u8, "tag"u8, element);
        Assert.True(Ristretto255Group.TryMultiply(scalar, element, product));
        Assert.NotEqual(element, product);
        Assert.True(Ristretto255Group.TryMultiply(inverse, product, product));
        Assert.Equal(element, product);
    }
}
