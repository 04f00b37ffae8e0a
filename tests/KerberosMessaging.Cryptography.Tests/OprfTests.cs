namespace KerberosMessaging.Cryptography.Tests;

public sealed class OprfTests
{
    [Fact]
    public void Rfc9497_vectors_hold()
    {
        foreach (var vector in VectorFile.Cases<Vector>("rfc9497-a11.json"))
        {
            var privateKey = new byte[32];
            var blinded = new byte[32];
            var evaluated = new byte[32];
            var output = new byte[64];
            Oprf.DerivePrivateKey(vector.Seed, vector.KeyInfo, privateKey);
            Assert.Equal(vector.PrivateKey, privateKey);
            Oprf.Blind(vector.Input, vector.Blind, blinded);
            Assert.Equal(vector.BlindedElement, blinded);
            Assert.True(Oprf.TryEvaluate(privateKey, blinded, evaluated));
            Assert.Equal(vector.EvaluationElement, evaluated);
            Assert.True(Oprf.TryFinalize(vector.Input, vector.Blind, evaluated, output));
            Assert.Equal(vector.Output, output);
        }
    }

    [Fact]
    public void Invalid_elements_are_refused()
    {
        var scalar = new byte[32];
        Ristretto255Group.RandomScalar(scalar);
        Assert.False(Oprf.TryEvaluate(scalar, new byte[32], new byte[32]));
        Assert.False(Oprf.TryFinalize("input"u8, scalar, new byte[32], new byte[64]));
    }

    [Fact]
    public void Input_longer_than_two_length_bytes_can_say_is_refused()
    {
        var scalar = new byte[32];
        Ristretto255Group.RandomScalar(scalar);
        Oprf.Blind(new byte[65_535], scalar, new byte[32]);
        Assert.Throws<ArgumentException>(() => Oprf.Blind(new byte[65_536], scalar, new byte[32]));
    }

    private sealed record Vector(
        byte[] Seed,
        byte[] KeyInfo,
        byte[] PrivateKey,
        byte[] Blind,
        byte[] Input,
        byte[] BlindedElement,
        byte[] EvaluationElement,
        byte[] Output);
}
