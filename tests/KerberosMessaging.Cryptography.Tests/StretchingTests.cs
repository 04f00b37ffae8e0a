namespace KerberosMessaging.Cryptography.Tests;

public sealed class StretchingTests
{
    [Fact]
    public void Independently_computed_vectors_hold()
    {
        foreach (var vector in VectorFile.Cases<Vector>("stretching.json"))
        {
            var parameters = new StretchingParameters(vector.Algorithm, vector.Iterations, vector.MemoryKiB);
            var output = new byte[64];
            Assert.True(parameters.IsAcceptable);
            PasswordStretching.Stretch(parameters, vector.Input, output);
            Assert.Equal(vector.Output, output);
        }
    }

    [Fact]
    public void Defaults_are_acceptable()
    {
        Assert.True(StretchingParameters.Default.IsAcceptable);
        Assert.True(StretchingParameters.Pbkdf2Default.IsAcceptable);
        Assert.Equal(new(StretchingAlgorithm.Argon2id, 3, 65_536), StretchingParameters.Default);
        Assert.Equal(new(StretchingAlgorithm.Pbkdf2Sha256, 600_000, 0), StretchingParameters.Pbkdf2Default);
    }

    [Theory]
    [InlineData(StretchingAlgorithm.Identity, 0, 0, false)]
    [InlineData(StretchingAlgorithm.Identity, 3, 65_536, false)]
    [InlineData(StretchingAlgorithm.Argon2id, 2, 65_536, false)]
    [InlineData(StretchingAlgorithm.Argon2id, 3, 65_535, false)]
    [InlineData(StretchingAlgorithm.Argon2id, 16, 1_048_576, true)]
    [InlineData(StretchingAlgorithm.Argon2id, 17, 65_536, false)]
    [InlineData(StretchingAlgorithm.Argon2id, 3, 1_048_577, false)]
    [InlineData(StretchingAlgorithm.Argon2id, uint.MaxValue, uint.MaxValue, false)]
    [InlineData(StretchingAlgorithm.Pbkdf2Sha256, 599_999, 0, false)]
    [InlineData(StretchingAlgorithm.Pbkdf2Sha256, 600_000, 1, false)]
    [InlineData(StretchingAlgorithm.Pbkdf2Sha256, 10_000_000, 0, true)]
    [InlineData(StretchingAlgorithm.Pbkdf2Sha256, 10_000_001, 0, false)]
    [InlineData((StretchingAlgorithm)3, 1_000_000, 65_536, false)]
    public void Floor_and_ceiling_are_enforced(
        StretchingAlgorithm algorithm, uint iterations, uint memoryKiB, bool acceptable) =>
        Assert.Equal(acceptable, new StretchingParameters(algorithm, iterations, memoryKiB).IsAcceptable);

    [Fact]
    public void Numbers_on_the_wire_do_not_move()
    {
        Assert.Equal(0, (byte)StretchingAlgorithm.Identity);
        Assert.Equal(1, (byte)StretchingAlgorithm.Argon2id);
        Assert.Equal(2, (byte)StretchingAlgorithm.Pbkdf2Sha256);
    }

    private sealed record Vector(
        StretchingAlgorithm Algorithm, uint Iterations, uint MemoryKiB, byte[] Input, byte[] Output);
}
