using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography.Tests;

public sealed class KeyDerivationTests
{
    [Fact]
    public void Rfc5869_vectors_hold_for_the_framework()
    {
        foreach (var vector in VectorFile.Cases<HkdfVector>("rfc5869-a.json"))
        {
            var prk = HKDF.Extract(HashAlgorithmName.SHA256, vector.InputKey, vector.Salt);
            Assert.Equal(vector.Prk, prk);
            Assert.Equal(
                vector.Output, HKDF.Expand(HashAlgorithmName.SHA256, prk, vector.Output.Length, vector.Info));
        }
    }

    [Fact]
    public void Wycheproof_sha512_vectors_hold()
    {
        foreach (var vector in VectorFile.Cases<HkdfVector>("wycheproof-hkdf-sha512.json"))
        {
            var prk = new byte[64];
            var output = new byte[vector.Output.Length];
            KeyDerivation.Extract(vector.Salt, vector.InputKey, prk);
            KeyDerivation.ExpandRaw(prk, vector.Info, output);
            Assert.Equal(vector.Output, output);
            if (vector.Info.Length == 0)
            {
                KeyDerivation.Expand(prk, string.Empty, output);
                Assert.Equal(vector.Output, output);
            }
        }
    }

    [Fact]
    public void Labels_and_contexts_are_encoded_as_documented()
    {
        foreach (var vector in VectorFile.Cases<LabelVector>("hkdf-labels.json"))
        {
            var prk = new byte[64];
            var output = new byte[vector.Output.Length];
            KeyDerivation.Extract(vector.Salt, vector.InputKey, prk);
            if (vector.Context is null)
            {
                KeyDerivation.Expand(prk, vector.Label, output);
            }
            else
            {
                KeyDerivation.Expand(prk, vector.Label, vector.Context, output);
            }

            Assert.Equal(vector.Output, output);
        }
    }

    [Theory]
    [InlineData("schlüssel")]
    [InlineData("two\0parts")]
    public void Label_that_is_not_plain_ascii_is_refused(string label)
    {
        var prk = new byte[64];
        var output = new byte[32];
        Assert.Throws<ArgumentException>(() => KeyDerivation.Expand(prk, label, output));
        Assert.Throws<ArgumentException>(() => KeyDerivation.Expand(prk, label, [1], output));
    }

    [Fact]
    public void Longest_label_works_and_a_longer_one_is_refused()
    {
        var prk = new byte[64];
        var output = new byte[32];
        KeyDerivation.Expand(prk, new string('a', 255), output);
        KeyDerivation.Expand(prk, new string('a', 255), [1], output);
        Assert.Throws<ArgumentException>(() => KeyDerivation.Expand(prk, new string('a', 256), output));
        Assert.Throws<ArgumentException>(() => KeyDerivation.Expand(prk, new string('a', 256), [1], output));
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentException>(() => KeyDerivation.Extract([], [1], new byte[32]));
        Assert.Throws<ArgumentException>(() => KeyDerivation.Expand(new byte[32], "label", new byte[32]));
        Assert.Throws<ArgumentException>(() => KeyDerivation.Expand(new byte[64], "label", []));
        Assert.Throws<ArgumentException>(() => KeyDerivation.Expand(new byte[64], "label", new byte[16_321]));
        KeyDerivation.Expand(new byte[64], "label", new byte[16_320]);
    }

    [Fact]
    public void Output_over_the_key_is_refused()
    {
        var prk = new byte[64];
        Assert.Throws<ArgumentException>(() => KeyDerivation.Expand(prk, "label", prk));
    }

    private sealed record HkdfVector(byte[] InputKey, byte[] Salt, byte[] Info, byte[]? Prk, byte[] Output);

    private sealed record LabelVector(byte[] InputKey, byte[] Salt, string Label, byte[]? Context, byte[] Output);
}
