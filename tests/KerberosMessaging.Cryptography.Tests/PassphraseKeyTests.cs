namespace KerberosMessaging.Cryptography.Tests;

public sealed class PassphraseKeyTests
{
    private static readonly byte[] Salt = [.. Enumerable.Range(1, PassphraseKey.SaltSize).Select(static i => (byte)i)];

    [Theory]
    [InlineData(StretchingAlgorithm.Argon2id, 3, 65_536)]
    [InlineData(StretchingAlgorithm.Pbkdf2Sha256, 600_000, 0)]
    public void A_key_hangs_on_passphrase_and_salt(StretchingAlgorithm algorithm, uint iterations, uint memoryKiB)
    {
        var parameters = new StretchingParameters(algorithm, iterations, memoryKiB);
        var withoutSalt = new byte[PassphraseKey.Size];
        PasswordStretching.Stretch(parameters, "secret"u8, withoutSalt);

        using var key = PassphraseKey.Derive(parameters, Salt, "secret"u8);
        using var same = PassphraseKey.Derive(parameters, Salt, "secret"u8);
        using var otherPassphrase = PassphraseKey.Derive(parameters, Salt, "secreT"u8);
        using var otherSalt = PassphraseKey.Derive(parameters, [.. Salt[..^1], 0], "secret"u8);
        using var zeroSalt = PassphraseKey.Derive(parameters, new byte[PassphraseKey.SaltSize], "secret"u8);

        Assert.Equal(key.Span.ToArray(), same.Span.ToArray());
        Assert.NotEqual(key.Span.ToArray(), otherPassphrase.Span.ToArray());
        Assert.NotEqual(key.Span.ToArray(), otherSalt.Span.ToArray());
        Assert.Equal(withoutSalt, zeroSalt.Span.ToArray());
    }

    [Fact]
    public void Another_salt_or_cost_than_allowed_is_refused()
    {
        Assert.Throws<ArgumentException>(() => PassphraseKey.Derive(StretchingParameters.Default, Salt.AsSpan(1), "secret"u8));
        Assert.Throws<ArgumentException>(() => PassphraseKey.Derive(
            new StretchingParameters(StretchingAlgorithm.Argon2id, 3, 4 * 1024 * 1024), Salt, "secret"u8));
        Assert.Throws<ArgumentException>(() => PassphraseKey.Derive(
            new StretchingParameters(StretchingAlgorithm.Identity, 3, 65_536), Salt, "secret"u8));
    }
}
