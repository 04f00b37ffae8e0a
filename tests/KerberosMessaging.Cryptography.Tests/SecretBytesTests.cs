namespace KerberosMessaging.Cryptography.Tests;

public sealed class SecretBytesTests
{
    [Fact]
    public void Value_is_copied()
    {
        byte[] original = [1, 2, 3];
        using var secret = new SecretBytes(original);
        original[0] = 9;
        Assert.Equal([1, 2, 3], secret.Span.ToArray());
    }

    [Fact]
    public void Length_constructor_gives_zeroes()
    {
        using var secret = new SecretBytes(40);
        Assert.Equal(40, secret.Length);
        Assert.Equal(new byte[40], secret.Span.ToArray());
    }

    [Fact]
    public void Negative_length_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SecretBytes(-1));

    [Fact]
    public void Random_secrets_differ()
    {
        using var first = SecretBytes.Random(32);
        using var second = SecretBytes.Random(32);
        Assert.NotEqual(first.Span.ToArray(), second.Span.ToArray());
    }

    [Fact]
    public void Dispose_erases_the_bytes()
    {
        var secret = SecretBytes.Random(32);
        var view = secret.Span;
        secret.Dispose();
        Assert.Equal(new byte[32], view.ToArray());
    }

    [Fact]
    public void Disposed_secret_cannot_be_read()
    {
        var secret = SecretBytes.Random(32);
        secret.Dispose();
        secret.Dispose();
        Assert.Throws<ObjectDisposedException>(() => secret.Span.Length);
        Assert.Throws<ObjectDisposedException>(secret.Clone);
        Assert.Equal(32, secret.Length);
    }

    [Fact]
    public void Clone_outlives_the_original()
    {
        var original = new SecretBytes([5, 6, 7]);
        using var clone = original.Clone();
        original.Dispose();
        Assert.Equal([5, 6, 7], clone.Span.ToArray());
    }
}
