using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using CsCheck;

namespace KerberosMessaging.Cryptography.Tests;

public sealed class AuthenticatedCbcTests
{
    private static readonly byte[] Key = Bytes.Counting(AuthenticatedCbc.KeySize);
    private static readonly byte[] Header = [1, 2, 3, 4, 5];

    [Fact]
    public void Rfc7518_vector_seals_and_opens()
    {
        var vector = Assert.Single(VectorFile.Cases<Vector>("rfc7518-b3.json"));
        byte[] expected = [.. vector.Iv, .. vector.Ciphertext, .. vector.Tag];
        using var cipher = new AuthenticatedCbc(vector.Key);
        var sealedData = new byte[AuthenticatedCbc.SealedLength(vector.Plaintext.Length)];

        cipher.Seal(vector.Plaintext, vector.AssociatedData, vector.Iv, sealedData);

        Assert.Equal(expected, sealedData);
        var opened = new byte[vector.Ciphertext.Length];
        for (var i = 0; i < 3; i++)
        {
            Assert.True(cipher.TryOpen(expected, vector.AssociatedData, opened, out var written));
            Assert.Equal(vector.Plaintext, opened[..written]);
        }

        Assert.True(AuthenticatedCbc.TryOpen(vector.Key, expected, vector.AssociatedData, out var plaintext));
        Assert.Equal(vector.Plaintext, plaintext);
    }

    [Fact]
    public void All_lengths_around_block_borders_round_trip()
    {
        using var cipher = new AuthenticatedCbc(Key);
        for (var length = 0; length <= 66; length++)
        {
            var plaintext = Bytes.Random(length);
            var sealedData = new byte[AuthenticatedCbc.SealedLength(length)];
            var opened = new byte[sealedData.Length - 48];

            cipher.Seal(plaintext, Header, sealedData);

            Assert.True(cipher.TryOpen(sealedData, Header, opened, out var written));
            Assert.Equal(plaintext, opened[..written]);
            Assert.True(AuthenticatedCbc.TryOpen(Key, sealedData, Header, out var oneShot));
            Assert.Equal(plaintext, oneShot);
        }
    }

    [Fact]
    public void Sealed_data_reads_as_ordinary_cbc()
    {
        var sealedData = AuthenticatedCbc.Seal(Key, "plain"u8, Header);
        using var aes = Aes.Create();
        aes.Key = Key[32..];
        Assert.Equal("plain"u8.ToArray(), aes.DecryptCbc(sealedData.AsSpan(16..^32), sealedData.AsSpan(0, 16)));
    }

    [Fact]
    public void Every_record_of_one_instance_reads_as_ordinary_cbc_and_back()
    {
        using var sealing = new AuthenticatedCbc(Key);
        using var opening = new AuthenticatedCbc(Key);
        using var aes = Aes.Create();
        aes.Key = Key[32..];

        // Around the borders of blocks and of the pieces in which long data goes through the transforms.
        int[] lengths = [0, 1, 4031, 4032, 4033, 4063, 4064, 4079, 4080, 4081, 8175, 8176, 8177, 20_000, 15, 16, 17, 1_000_000, 5];
        foreach (var length in lengths)
        {
            var plaintext = Bytes.Random(length);
            var sealedData = new byte[AuthenticatedCbc.SealedLength(length)];
            sealing.Seal(plaintext, Header, sealedData);

            var iv = sealedData[..16];
            byte[] covered = [.. Header, .. sealedData.AsSpan(..^32), 0, 0, 0, 0, 0, 0, 0, (byte)(Header.Length * 8)];
            Assert.Equal(plaintext, aes.DecryptCbc(sealedData.AsSpan(16..^32), iv));
            Assert.Equal(HMACSHA512.HashData(Key[..32], covered)[..32], sealedData[^32..]);

            aes.EncryptCbc(plaintext, iv, sealedData.AsSpan(16..^32));
            var opened = new byte[sealedData.Length - 48];
            Assert.True(opening.TryOpen(sealedData, Header, opened, out var written));
            Assert.Equal(plaintext, opened[..written]);
        }
    }

    [Fact]
    public void A_refused_record_does_not_harm_the_next_one()
    {
        using var cipher = new AuthenticatedCbc(Key);
        var good = AuthenticatedCbc.Seal(Key, "text"u8, Header);
        var destination = new byte[16];
        foreach (var bad in new[] { Bytes.Flip(good, 20), good[..^16], SealRaw(new byte[16]), [] })
        {
            Assert.False(cipher.TryOpen(bad, Header, destination, out _));
            Assert.True(cipher.TryOpen(good, Header, destination, out var written));
            Assert.Equal("text"u8.ToArray(), destination[..written]);
        }
    }

    [Fact]
    public void Associated_data_may_be_of_any_length()
    {
        using var cipher = new AuthenticatedCbc(Key);
        foreach (var length in new[] { 0, 1, 4023, 4024, 4025, 10_000 })
        {
            var associatedData = Bytes.Random(length);
            var sealedData = new byte[64];
            cipher.Seal("text"u8, associatedData, sealedData);

            byte[] covered = [.. associatedData, .. sealedData.AsSpan(..^32), 0, 0, 0, 0, 0, (byte)(length * 8 >> 16), (byte)(length * 8 >> 8), (byte)(length * 8)];
            Assert.Equal(HMACSHA512.HashData(Key[..32], covered)[..32], sealedData[^32..]);
            Assert.True(cipher.TryOpen(sealedData, associatedData, new byte[16], out _));
        }
    }

    [Fact]
    public void Instances_of_one_thread_do_not_disturb_each_other()
    {
        using var one = new AuthenticatedCbc(Key);
        using var other = new AuthenticatedCbc(Bytes.Flip(Key, 40));
        for (var i = 0; i < 20; i++)
        {
            var first = new byte[80];
            var second = new byte[80];
            one.Seal(Bytes.Counting(20), Header, first);
            other.Seal(Bytes.Counting(21), Header, second);

            var opened = new byte[32];
            Assert.True(one.TryOpen(first, Header, opened, out var written));
            Assert.Equal(Bytes.Counting(20), opened[..written]);
            Assert.True(other.TryOpen(second, Header, opened, out written));
            Assert.Equal(Bytes.Counting(21), opened[..written]);
        }
    }

    [Fact]
    public void Every_flipped_byte_is_refused()
    {
        using var cipher = new AuthenticatedCbc(Key);
        var sealedData = AuthenticatedCbc.Seal(Key, Bytes.Random(33), Header);
        var destination = new byte[sealedData.Length];
        for (var position = 0; position < sealedData.Length; position++)
        {
            Assert.False(cipher.TryOpen(Bytes.Flip(sealedData, position), Header, destination, out var written));
            Assert.False(cipher.TryOpen(Bytes.Flip(sealedData, position, 0x80), Header, destination, out _));
            Assert.Equal(0, written);
        }

        Assert.True(cipher.TryOpen(sealedData, Header, destination, out _));
    }

    [Fact]
    public void Flipped_byte_in_tag_is_refused()
    {
        var sealedData = AuthenticatedCbc.Seal(Key, "text"u8, Header);
        Assert.False(AuthenticatedCbc.TryOpen(Key, Bytes.Flip(sealedData, sealedData.Length - 1), Header, out _));
    }

    [Fact]
    public void Every_truncation_and_extension_is_refused()
    {
        var sealedData = AuthenticatedCbc.Seal(Key, Bytes.Random(40), Header);
        for (var length = 0; length < sealedData.Length; length++)
        {
            Assert.False(AuthenticatedCbc.TryOpen(Key, sealedData.AsSpan(0, length), Header, out _));
        }

        for (var extra = 1; extra <= 33; extra++)
        {
            Assert.False(AuthenticatedCbc.TryOpen(Key, [.. sealedData, .. new byte[extra]], Header, out _));
        }
    }

    [Fact]
    public void Other_associated_data_is_refused()
    {
        var sealedData = AuthenticatedCbc.Seal(Key, "text"u8, Header);
        Assert.False(AuthenticatedCbc.TryOpen(Key, sealedData, [], out _));
        Assert.False(AuthenticatedCbc.TryOpen(Key, sealedData, Bytes.Flip(Header, 0), out _));
        Assert.False(AuthenticatedCbc.TryOpen(Key, sealedData, [.. Header, 0], out _));
    }

    [Fact]
    public void Associated_data_cannot_move_into_the_vector()
    {
        // The length of the associated data is part of what the tag covers; without it these would be equal.
        var sealedData = AuthenticatedCbc.Seal(Key, new byte[64], Header);
        byte[] shifted = [.. sealedData.AsSpan(16)];
        Assert.False(AuthenticatedCbc.TryOpen(Key, shifted, [.. Header, .. sealedData.AsSpan(0, 16)], out _));
    }

    [Fact]
    public void Other_key_is_refused()
    {
        var sealedData = AuthenticatedCbc.Seal(Key, "text"u8, Header);
        Assert.False(AuthenticatedCbc.TryOpen(Bytes.Flip(Key, 0), sealedData, Header, out _));
        byte[] swapped = [.. Key.AsSpan(32), .. Key.AsSpan(0, 32)];
        Assert.False(AuthenticatedCbc.TryOpen(swapped, sealedData, Header, out _));
    }

    [Theory]
    [InlineData("00000000000000000000000000000000")]
    [InlineData("00000000000000000000000000000011")]
    [InlineData("000000000000000000000000000000ff")]
    [InlineData("00000000000000000000000000000302")]
    [InlineData("0f101010101010101010101010101010")]
    public void Authentic_data_with_bad_padding_is_refused_without_an_exception(string lastBlock)
    {
        var sealedData = SealRaw(Convert.FromHexString(lastBlock));
        Assert.False(AuthenticatedCbc.TryOpen(Key, sealedData, Header, out var plaintext));
        Assert.Null(plaintext);
    }

    [Fact]
    public void Same_plaintext_is_never_sealed_alike()
    {
        var first = AuthenticatedCbc.Seal(Key, "text"u8, Header);
        var second = AuthenticatedCbc.Seal(Key, "text"u8, Header);
        Assert.NotEqual(first[..16], second[..16]);
        Assert.NotEqual(first[16..32], second[16..32]);
    }

    [Fact]
    public void No_vector_is_a_block_that_came_before()
    {
        // A vector that is the last ciphertext block, or anything else already seen, could be predicted.
        using var cipher = new AuthenticatedCbc(Key);
        var seen = new HashSet<string>();
        var sealedData = new byte[80];
        for (var i = 0; i < 1000; i++)
        {
            cipher.Seal(Bytes.Counting(20), Header, sealedData);
            for (var block = 0; block < 48; block += 16)
            {
                Assert.True(seen.Add(Convert.ToHexString(sealedData.AsSpan(block, 16))));
            }
        }
    }

    [Fact]
    public void Random_bytes_are_refused_without_an_exception() =>
        Gen.Byte.Array[0, 200].Sample(bytes => !AuthenticatedCbc.TryOpen(Key, bytes, Header, out _), iter: 300);

    [Fact]
    public void No_initialisation_vector_is_used_twice_by_any_thread()
    {
        var vectors = new ConcurrentDictionary<string, bool>();
        Parallel.For(0, 2000, _ => vectors.TryAdd(
            Convert.ToHexString(AuthenticatedCbc.Seal(Key, "text"u8, Header).AsSpan(0, AuthenticatedCbc.IvSize)), true));
        Assert.Equal(2000, vectors.Count);
    }

    [Theory]
    [InlineData(0, 64)]
    [InlineData(15, 64)]
    [InlineData(16, 80)]
    [InlineData(1_048_576, 1_048_640)]
    public void Sealed_length_counts_vector_padding_and_tag(int plaintext, int expected) =>
        Assert.Equal(expected, AuthenticatedCbc.SealedLength(plaintext));

    [Fact]
    public void Wrong_buffers_are_the_callers_mistake()
    {
        using var cipher = new AuthenticatedCbc(Key);
        var sealedData = AuthenticatedCbc.Seal(Key, "text"u8, Header);
        Assert.Throws<ArgumentException>(() => new AuthenticatedCbc(Key.AsSpan(1)));
        Assert.Throws<ArgumentException>(() => cipher.Seal("text"u8, Header, new byte[63]));
        Assert.Throws<ArgumentException>(() => cipher.Seal("text"u8, Header, new byte[65]));
        Assert.Throws<ArgumentException>(() => cipher.TryOpen(sealedData, Header, new byte[15], out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => AuthenticatedCbc.SealedLength(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => AuthenticatedCbc.SealedLength(int.MaxValue));
    }

    [Fact]
    public void Disposed_cipher_neither_seals_nor_opens()
    {
        var sealedData = AuthenticatedCbc.Seal(Key, "text"u8, Header);
        var cipher = new AuthenticatedCbc(Key);
        cipher.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cipher.Seal("text"u8, Header, new byte[64]));
        Assert.Throws<ObjectDisposedException>(() => cipher.TryOpen(sealedData, Header, new byte[16], out _));
    }

    private static byte[] SealRaw(byte[] padded)
    {
        using var aes = Aes.Create();
        aes.Key = Key[32..];
        var iv = Bytes.Random(16);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(length, Header.Length * 8);
        byte[] body = [.. iv, .. aes.EncryptCbc(padded, iv, PaddingMode.None)];
        byte[] covered = [.. Header, .. body, .. length];
        return [.. body, .. HMACSHA512.HashData(Key[..32], covered)[..32]];
    }

    private sealed record Vector(
        byte[] Key, byte[] Plaintext, byte[] Iv, byte[] AssociatedData, byte[] Ciphertext, byte[] Tag);
}
