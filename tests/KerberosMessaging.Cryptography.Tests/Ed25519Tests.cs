namespace KerberosMessaging.Cryptography.Tests;

public sealed class Ed25519Tests
{
    [Fact]
    public void Rfc8032_vectors_sign_and_verify()
    {
        foreach (var vector in VectorFile.Cases<Vector>("rfc8032-71.json"))
        {
            using var key = Ed25519PrivateKey.FromSeed(vector.Seed);
            Assert.Equal(vector.PublicKey, key.PublicKey.ToArray());
            Assert.Equal(vector.Signature, key.Sign(vector.Message));
            Assert.True(Ed25519.Verify(vector.PublicKey, vector.Message, vector.Signature));
        }
    }

    [Fact]
    public void Every_flipped_byte_of_a_signature_is_refused()
    {
        using var key = Ed25519PrivateKey.Generate();
        var signature = key.Sign("message"u8);
        for (var position = 0; position < signature.Length; position++)
        {
            Assert.False(Ed25519.Verify(key.PublicKey.Span, "message"u8, Bytes.Flip(signature, position)));
        }
    }

    [Fact]
    public void Other_message_or_key_is_refused()
    {
        using var key = Ed25519PrivateKey.Generate();
        using var other = Ed25519PrivateKey.Generate();
        var signature = key.Sign("message"u8);
        Assert.True(Ed25519.Verify(key.PublicKey.Span, "message"u8, signature));
        Assert.False(Ed25519.Verify(key.PublicKey.Span, "massage"u8, signature));
        Assert.False(Ed25519.Verify(other.PublicKey.Span, "message"u8, signature));
    }

    [Fact]
    public void Malformed_input_is_refused_without_an_exception()
    {
        using var key = Ed25519PrivateKey.Generate();
        var signature = key.Sign("message"u8);
        var publicKey = key.PublicKey.Span;
        Assert.False(Ed25519.Verify([], "message"u8, signature));
        Assert.False(Ed25519.Verify(publicKey[1..], "message"u8, signature));
        Assert.False(Ed25519.Verify([.. publicKey, 0], "message"u8, signature));
        Assert.False(Ed25519.Verify(publicKey, "message"u8, []));
        Assert.False(Ed25519.Verify(publicKey, "message"u8, signature.AsSpan(1)));
        Assert.False(Ed25519.Verify(publicKey, "message"u8, [.. signature, 0]));
    }

    [Fact]
    public void Public_key_of_low_order_verifies_nothing()
    {
        // With the neutral element as key and R, and S = 0, the verification equation holds for every message.
        byte[] neutral = [1, .. new byte[31]];
        Assert.False(Ed25519.Verify(neutral, "message"u8, [.. neutral, .. new byte[32]]));
    }

    [Fact]
    public void Signature_with_an_unreduced_scalar_is_refused()
    {
        // S + L satisfies the same equation; accepting it would make signatures malleable (RFC 8032 section 5.1.7).
        using var key = Ed25519PrivateKey.Generate();
        var signature = key.Sign("message"u8);
        var order = Convert.FromHexString("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        var carry = 0;
        for (var i = 0; i < 32; i++)
        {
            carry += signature[32 + i] + order[i];
            signature[32 + i] = (byte)carry;
            carry >>= 8;
        }

        Assert.False(Ed25519.Verify(key.PublicKey.Span, "message"u8, signature));
    }

    [Fact]
    public void Exported_seed_restores_the_key()
    {
        using var key = Ed25519PrivateKey.Generate();
        using var seed = key.ExportSeed();
        using var restored = Ed25519PrivateKey.FromSeed(seed.Span);
        Assert.Equal(key.PublicKey.ToArray(), restored.PublicKey.ToArray());
        Assert.Equal(key.Sign("message"u8), restored.Sign("message"u8));
    }

    [Fact]
    public void Wrong_lengths_are_the_callers_mistake()
    {
        using var key = Ed25519PrivateKey.Generate();
        Assert.Throws<ArgumentException>(() => Ed25519PrivateKey.FromSeed(new byte[31]));
        Assert.Throws<ArgumentException>(() => key.Sign("message"u8, new byte[63]));
    }

    [Fact]
    public void Disposed_key_signs_nothing()
    {
        var key = Ed25519PrivateKey.Generate();
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => key.Sign("message"u8));
        Assert.Throws<ObjectDisposedException>(key.ExportSeed);
    }

    private sealed record Vector(byte[] Seed, byte[] PublicKey, byte[] Message, byte[] Signature);
}
