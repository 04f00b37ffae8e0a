using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography.Tests;

public sealed class MlKem768Tests
{
    [Fact]
    public void Accumulated_vectors_hold()
    {
        Assert.SkipUnless(Shake128.IsSupported, "This platform has no SHAKE128 to accumulate with.");
        var vector = Assert.Single(VectorFile.Cases<Vector>("mlkem768-accumulated.json"));
        var perRound = MlKem768PrivateKey.SeedSize + 32 + MlKem768.CiphertextSize;
        ReadOnlySpan<byte> stream = Shake128.HashData([], vector.Iterations * perRound);
        using var accumulated = new Shake128();
        var ciphertext = new byte[MlKem768.CiphertextSize];
        var secret = new byte[MlKem768.SharedSecretSize];
        var recovered = new byte[MlKem768.SharedSecretSize];
        for (var round = 0; round < vector.Iterations; round++)
        {
            var input = stream.Slice(round * perRound, perRound);
            using var key = MlKem768PrivateKey.FromSeed(input[..64]);
            accumulated.AppendData(key.PublicKey.Span);

            Assert.True(MlKem768.TryEncapsulate(key.PublicKey.Span, input[64..96], ciphertext, secret));
            accumulated.AppendData(ciphertext);
            accumulated.AppendData(secret);
            Assert.True(key.TryDecapsulate(ciphertext, recovered));
            Assert.Equal(secret, recovered);

            Assert.True(key.TryDecapsulate(input[96..], recovered));
            accumulated.AppendData(recovered);
        }

        Assert.Equal(vector.Output, accumulated.GetHashAndReset(32));
    }

    [Fact]
    public void Fresh_encapsulation_round_trips()
    {
        using var key = MlKem768PrivateKey.Generate();
        var ciphertext = new byte[MlKem768.CiphertextSize];
        var secret = new byte[MlKem768.SharedSecretSize];
        var recovered = new byte[MlKem768.SharedSecretSize];
        Assert.True(MlKem768.TryEncapsulate(key.PublicKey.Span, ciphertext, secret));
        Assert.True(key.TryDecapsulate(ciphertext, recovered));
        Assert.Equal(secret, recovered);
    }

    [Fact]
    public void Changed_ciphertext_gives_an_unrelated_secret()
    {
        using var key = MlKem768PrivateKey.Generate();
        var ciphertext = new byte[MlKem768.CiphertextSize];
        var secret = new byte[MlKem768.SharedSecretSize];
        var recovered = new byte[MlKem768.SharedSecretSize];
        Assert.True(MlKem768.TryEncapsulate(key.PublicKey.Span, ciphertext, secret));
        Assert.True(key.TryDecapsulate(Bytes.Flip(ciphertext, 100), recovered));
        Assert.NotEqual(secret, recovered);
    }

    [Fact]
    public void Public_key_that_fails_the_modulus_check_is_refused()
    {
        using var key = MlKem768PrivateKey.Generate();
        var publicKey = key.PublicKey.ToArray();
        publicKey[0] = 0xff;
        publicKey[1] |= 0x0f; // the first coefficient is now 4095, and the modulus is 3329
        var ciphertext = Bytes.Random(MlKem768.CiphertextSize);
        var secret = Bytes.Random(MlKem768.SharedSecretSize);
        Assert.False(MlKem768.TryEncapsulate(publicKey, ciphertext, secret));
        Assert.Equal(new byte[MlKem768.CiphertextSize], ciphertext);
        Assert.Equal(new byte[MlKem768.SharedSecretSize], secret);
    }

    [Fact]
    public void Input_of_another_length_is_refused()
    {
        using var key = MlKem768PrivateKey.Generate();
        var ciphertext = new byte[MlKem768.CiphertextSize];
        var secret = new byte[MlKem768.SharedSecretSize];
        Assert.False(MlKem768.TryEncapsulate(key.PublicKey.Span[1..], ciphertext, secret));
        Assert.False(MlKem768.TryEncapsulate([], ciphertext, secret));
        Assert.False(key.TryDecapsulate(ciphertext.AsSpan(1), secret));
        Assert.False(key.TryDecapsulate([], secret));
    }

    [Fact]
    public void Exported_seed_restores_the_key()
    {
        using var key = MlKem768PrivateKey.Generate();
        using var seed = key.ExportSeed();
        using var restored = MlKem768PrivateKey.FromSeed(seed.Span);
        Assert.Equal(MlKem768PrivateKey.SeedSize, seed.Length);
        Assert.Equal(key.PublicKey.ToArray(), restored.PublicKey.ToArray());
    }

    [Fact]
    public void Wrong_buffers_are_the_callers_mistake()
    {
        using var key = MlKem768PrivateKey.Generate();
        Assert.Throws<ArgumentException>(() => MlKem768PrivateKey.FromSeed(new byte[32]));
        Assert.Throws<ArgumentException>(() => key.TryDecapsulate(new byte[1088], new byte[31]));
        Assert.Throws<ArgumentException>(
            () => MlKem768.TryEncapsulate(key.PublicKey.Span, new byte[1087], new byte[32]));
    }

    private sealed record Vector(int Iterations, byte[] Output);
}
