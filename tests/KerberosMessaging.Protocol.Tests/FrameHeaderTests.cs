using System.Buffers;
using CsCheck;

namespace KerberosMessaging.Protocol.Tests;

public sealed class FrameHeaderTests
{
    private const int Limit = 65_536;

    private static readonly FrameHeader Header = new(
        new SessionId(new Guid(MessageSample.Bytes(0x60, 16), bigEndian: true)), MessageCode.SendMessage, 0x01020304, 0xABCD);

    // session, version, code, request id, payload size
    private static readonly byte[] Golden = Hex.Parse("606162636465666768696a6b6c6d6e6f 19 0405 01020304 0000abcd");

    [Fact]
    public void A_header_is_written_as_its_golden_bytes() => Assert.Equal(Golden, Write(Header));

    [Fact]
    public void A_header_is_read_at_every_split_point()
    {
        for (var split = 0; split <= Golden.Length; split++)
        {
            var buffer = Sequence(Golden[..split], Golden[split..]);

            Assert.True(FrameHeader.TryRead(buffer, Limit, out var header));
            Assert.Equal(Header, header);
        }
    }

    [Fact]
    public void A_header_is_read_from_single_bytes()
    {
        var buffer = Sequence([.. Golden.Select(value => new[] { value })]);

        Assert.True(FrameHeader.TryRead(buffer, Limit, out var header));
        Assert.Equal(Header, header);
    }

    [Fact]
    public void Too_few_bytes_are_waited_for()
    {
        for (var length = 0; length < FrameHeader.Size; length++)
        {
            Assert.False(FrameHeader.TryRead(new ReadOnlySequence<byte>(Golden, 0, length), Limit, out _));
        }
    }

    [Fact]
    public void The_payload_may_follow_or_not()
    {
        Assert.True(FrameHeader.TryRead(new ReadOnlySequence<byte>([.. Golden, 1, 2, 3]), Limit, out var header));
        Assert.Equal(Header, header);
    }

    [Fact]
    public void Version_24_is_refused_after_exactly_17_bytes()
    {
        var older = Golden.ToArray();
        older[16] = 24;

        Assert.False(FrameHeader.TryRead(new ReadOnlySequence<byte>(older, 0, 16), Limit, out _));
        for (var length = 17; length <= older.Length; length++)
        {
            AssertRefused(ProtocolError.UnsupportedVersion, new ReadOnlySequence<byte>(older, 0, length));
        }
    }

    [Fact]
    public void Every_other_version_is_refused()
    {
        for (var version = 0; version <= byte.MaxValue; version++)
        {
            var other = Golden.ToArray();
            other[16] = (byte)version;
            if (version != 25)
            {
                AssertRefused(ProtocolError.UnsupportedVersion, new ReadOnlySequence<byte>(other));
            }
        }
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(65_535u)]
    [InlineData(65_536u)]
    public void A_size_within_the_limit_is_taken(uint size)
    {
        Assert.True(FrameHeader.TryRead(new ReadOnlySequence<byte>(WithSize(size)), Limit, out var header));
        Assert.Equal((int)size, header.PayloadSize);
    }

    [Theory]
    [InlineData(65_537u)]
    [InlineData(0x7FFF_FFFFu)]
    [InlineData(0x8000_0000u)]
    [InlineData(0xFFFF_FFFFu)]
    public void A_size_over_the_limit_is_refused_on_the_header_alone(uint size) =>
        AssertRefused(ProtocolError.TooLarge, new ReadOnlySequence<byte>(WithSize(size)));

    [Fact]
    public void Any_header_survives_the_round_trip() =>
        Gen.Select(Gen.Guid, Gen.UShort, Gen.UInt, Gen.Int[0, Limit]).Sample((session, code, requestId, size) =>
        {
            var header = new FrameHeader(new SessionId(session), (MessageCode)code, requestId, size);
            return FrameHeader.TryRead(new ReadOnlySequence<byte>(Write(header)), Limit, out var read) && read == header;
        });

    private static byte[] Write(FrameHeader header)
    {
        var bytes = new byte[FrameHeader.Size];
        header.Write(bytes);
        return bytes;
    }

    private static byte[] WithSize(uint size) =>
        [.. Golden.AsSpan(0, FrameHeader.HeaderSize), (byte)(size >> 24), (byte)(size >> 16), (byte)(size >> 8), (byte)size];

    private static void AssertRefused(ProtocolError error, ReadOnlySequence<byte> buffer) =>
        Assert.Equal(error, Assert.Throws<ProtocolException>(() => FrameHeader.TryRead(buffer, Limit, out _)).Error);

    private static ReadOnlySequence<byte> Sequence(params byte[][] parts)
    {
        var first = new Segment(parts[0], null);
        var last = parts.Skip(1).Aggregate(first, static (previous, part) => new Segment(part, previous));
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, Segment? previous)
        {
            Memory = bytes;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
