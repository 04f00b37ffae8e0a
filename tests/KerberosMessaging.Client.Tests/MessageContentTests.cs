using CsCheck;

namespace KerberosMessaging.Client.Tests;

public sealed class MessageContentTests
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 2, 12, 0, 0, 123, TimeSpan.Zero);

    [Fact]
    public void A_text_is_laid_out_as_specified()
    {
        var bytes = MessageContent.OfText("Hé", DateTimeOffset.FromUnixTimeMilliseconds(0x0102030405)).ToBytes();

        Assert.Equal("01" + "0001" + "0000000102030405" + "48C3A9", Convert.ToHexString(bytes));
    }

    [Fact]
    public void Content_survives_its_bytes() =>
        Gen.Select(Gen.UShort, Gen.Long[0, 253_402_300_799_999], Gen.Byte.Array).Sample((kind, time, body) =>
        {
            var content = new MessageContent((MessageKind)kind, DateTimeOffset.FromUnixTimeMilliseconds(time), body);

            var read = MessageContent.TryRead(content.ToBytes());

            Assert.NotNull(read);
            Assert.Equal(content.Kind, read.Kind);
            Assert.Equal(content.SentAt, read.SentAt);
            Assert.Equal(body, read.Body.ToArray());
        });

    [Fact]
    public void Every_truncation_of_the_header_is_refused()
    {
        var bytes = MessageContent.OfText("", Noon).ToBytes();

        Assert.NotNull(MessageContent.TryRead(bytes));
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Null(MessageContent.TryRead(bytes.AsSpan(0, length)));
        }
    }

    [Fact]
    public void Random_bytes_never_throw() => Gen.Byte.Array.Sample(static bytes => { _ = MessageContent.TryRead(bytes)?.Text; });

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(255)]
    public void Another_version_is_refused(byte version)
    {
        var bytes = MessageContent.OfText("hello", Noon).ToBytes();
        bytes[0] = version;

        Assert.Null(MessageContent.TryRead(bytes));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(253_402_300_800_000)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void A_time_outside_the_calendar_is_refused(long time)
    {
        var bytes = MessageContent.OfText("hello", Noon).ToBytes();
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(3), time);

        Assert.Null(MessageContent.TryRead(bytes));
    }

    [Fact]
    public void An_unknown_kind_is_kept_and_has_no_text()
    {
        var content = MessageContent.OfText("hello", Noon) with { Kind = (MessageKind)77 };

        var read = MessageContent.TryRead(content.ToBytes());

        Assert.Equal((MessageKind)77, read?.Kind);
        Assert.Null(read?.Text);
        Assert.Equal(5, read?.Body.Length);
    }

    [Fact]
    public void Bytes_that_are_no_text_have_none() =>
        Assert.Null(new MessageContent(MessageKind.Text, Noon, new byte[] { 0xC3, 0x28 }).Text);

    [Fact]
    public void A_text_that_is_none_is_refused() =>
        Assert.ThrowsAny<ArgumentException>(static () => MessageContent.OfText("\uD800", Noon));
}
