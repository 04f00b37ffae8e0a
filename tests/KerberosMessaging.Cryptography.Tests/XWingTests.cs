namespace KerberosMessaging.Cryptography.Tests;

public sealed class XWingTests
{
    [Fact]
    public void Draft_vectors_hold()
    {
        foreach (var vector in VectorFile.Cases<Vector>("xwing-draft-c.json"))
        {
            using var key = XWingPrivateKey.FromSeed(vector.Seed);
            var ciphertext = new byte[XWing.CiphertextSize];
            var secret = new byte[XWing.SharedSecretSize];
            Assert.True(
                XWing.TryEncapsulate(key.PublicKey.Span, vector.EncapsulationSeed, ciphertext, secret));
            Assert.Equal(vector.SharedSecret, secret);
            Assert.Equal(vector.PublicKey ?? key.PublicKey.ToArray(), key.PublicKey.ToArray());
            Assert.Equal(vector.Ciphertext ?? ciphertext, ciphertext);

            var recovered = new byte[XWing.SharedSecretSize];
            Assert.True(key.TryDecapsulate(ciphertext, recovered));
            Assert.Equal(vector.SharedSecret, recovered);
        }
    }

    [Fact]
    public void Fresh_encapsulation_round_trips()
    {
        using var key = XWingPrivateKey.Generate();
        var ciphertext = new byte[XWing.CiphertextSize];
        var secret = new byte[XWing.SharedSecretSize];
        var recovered = new byte[XWing.SharedSecretSize];
        Assert.True(XWing.TryEncapsulate(key.PublicKey.Span, ciphertext, secret));
        Assert.True(key.TryDecapsulate(ciphertext, recovered));
        Assert.Equal(secret, recovered);
    }

    [Fact]
    public void Change_in_either_half_gives_an_unrelated_secret()
    {
        using var key = XWingPrivateKey.Generate();
        var ciphertext = new byte[XWing.CiphertextSize];
        var secret = new byte[XWing.SharedSecretSize];
        var recovered = new byte[XWing.SharedSecretSize];
        Assert.True(XWing.TryEncapsulate(key.PublicKey.Span, ciphertext, secret));
        foreach (var position in (int[])[0, 1087, 1088, 1100])
        {
            Assert.True(key.TryDecapsulate(Bytes.Flip(ciphertext, position), recovered));
            Assert.NotEqual(secret, recovered);
        }
    }

    [Fact]
    public void X25519_part_of_low_order_is_refused()
    {
        using var key = XWingPrivateKey.Generate();
        var ciphertext = new byte[XWing.CiphertextSize];
        var secret = new byte[XWing.SharedSecretSize];
        byte[] publicKey = [.. key.PublicKey.Span[..1184], .. new byte[32]];
        Assert.False(XWing.TryEncapsulate(publicKey, ciphertext, secret));

        Assert.True(XWing.TryEncapsulate(key.PublicKey.Span, ciphertext, secret));
        ciphertext.AsSpan(1088).Clear();
        Assert.False(key.TryDecapsulate(ciphertext, secret));
        Assert.Equal(new byte[32], secret);
    }

    [Fact]
    public void Input_of_another_length_or_modulus_is_refused()
    {
        using var key = XWingPrivateKey.Generate();
        var ciphertext = new byte[XWing.CiphertextSize];
        var secret = new byte[XWing.SharedSecretSize];
        var publicKey = key.PublicKey.ToArray();
        publicKey.AsSpan(0, 3).Fill(0xff);
        Assert.False(XWing.TryEncapsulate(publicKey, ciphertext, secret));
        Assert.False(XWing.TryEncapsulate(key.PublicKey.Span[1..], ciphertext, secret));
        Assert.False(key.TryDecapsulate(ciphertext.AsSpan(1), secret));
        Assert.False(key.TryDecapsulate([], secret));
    }

    private sealed record Vector(
        byte[] Seed, byte[] EncapsulationSeed, byte[] SharedSecret, byte[]? PublicKey, byte[]? Ciphertext);
}
