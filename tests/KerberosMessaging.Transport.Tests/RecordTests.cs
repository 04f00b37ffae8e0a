using System.Security.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport.Tests;

public sealed class RecordTests
{
    private static readonly LookUpClientRequest Request = new("alice");
    private static readonly Done Reply = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_record_of_any_length_arrives_as_it_left()
    {
        using var channel = await ChannelPair.OpenAsync();
        for (var length = 0; length <= 100; length++)
        {
            var payload = RandomNumberGenerator.GetBytes(length);

            var frame = await channel.OpenAtServerAsync(
                await channel.SealAtClientAsync(new RawMessage(MessageCode.UploadPrekeys, payload), (uint)length));

            Assert.Equal((MessageCode.UploadPrekeys, (uint)length), (frame.Code, frame.RequestId));
            Assert.Equal(payload, frame.Payload.ToArray());
        }
    }

    [Fact]
    public async Task A_frame_on_the_wire_is_the_clear_header_and_the_sealed_payload()
    {
        using var channel = await ChannelPair.OpenAsync();

        var frame = await channel.SealAtClientAsync(Request, 0x01020304);

        byte[] header =
        [
            .. channel.Client.Session.Value.ToByteArray(bigEndian: true), 25, 1033 >> 8, 1033 & 0xFF, 1, 2, 3, 4, 0, 0, 0, 64,
        ];
        Assert.Equal(header, frame[..FrameHeader.Size]);
        Assert.Equal(FrameHeader.Size + 16 + 16 + 32, frame.Length);
    }

    [Fact]
    public async Task Any_bit_of_a_record_that_changes_on_the_way_to_the_server_fails_the_channel()
    {
        for (var bit = 0; ; bit++)
        {
            using var channel = await ChannelPair.OpenAsync();
            var frame = await channel.SealAtClientAsync(Request, 1);
            if (bit == frame.Length * 8)
            {
                break;
            }

            frame[bit / 8] ^= (byte)(1 << (bit % 8));
            await channel.Wire.SendToServerAsync(frame);
            await channel.Wire.EndTowardsServerAsync();

            var e = await Assert.ThrowsAsync<ProtocolException>(async () => await channel.Server.ReadAsync(Cancel).AsTask().WaitAsync(Check.Patience, Cancel));
            AssertFitsPosition(bit / 8, e.Error);
        }
    }

    [Fact]
    public async Task Any_byte_of_a_record_that_changes_on_the_way_to_the_client_fails_the_channel()
    {
        for (var position = 0; ; position++)
        {
            using var channel = await ChannelPair.OpenAsync();
            var frame = await channel.SealAtServerAsync(Reply, 1);
            if (position == frame.Length)
            {
                break;
            }

            frame[position] ^= 0x81;
            await channel.Wire.SendToClientAsync(frame);
            await channel.Wire.EndTowardsClientAsync();

            var e = await Assert.ThrowsAsync<ProtocolException>(async () => await channel.Client.ReadAsync(Cancel).AsTask().WaitAsync(Check.Patience, Cancel));
            AssertFitsPosition(position, e.Error);
        }
    }

    [Fact]
    public async Task A_record_that_is_replayed_fails_the_channel()
    {
        using var channel = await ChannelPair.OpenAsync();
        var frame = await channel.SealAtClientAsync(Request, 1);
        await channel.OpenAtServerAsync(frame);

        await Check.RefusedAsync(ProtocolError.ChannelFailed, () => channel.OpenAtServerAsync(frame));
    }

    [Fact]
    public async Task Records_that_change_places_fail_the_channel()
    {
        using var channel = await ChannelPair.OpenAsync();
        await channel.SealAtClientAsync(Request, 1);
        var second = await channel.SealAtClientAsync(Request, 2);

        await Check.RefusedAsync(ProtocolError.ChannelFailed, () => channel.OpenAtServerAsync(second));
    }

    [Fact]
    public async Task A_record_that_is_dropped_fails_the_channel_with_the_next()
    {
        using var channel = await ChannelPair.OpenAsync();
        await channel.CarryToClientAsync(1);
        await channel.SealAtServerAsync(Reply, 2);

        await Check.RefusedAsync(
            ProtocolError.ChannelFailed, async () => await channel.OpenAtClientAsync(await channel.SealAtServerAsync(Reply, 3)));
    }

    [Fact]
    public async Task A_record_that_is_sent_back_fails_the_channel()
    {
        using var channel = await ChannelPair.OpenAsync();

        await Check.RefusedAsync(
            ProtocolError.ChannelFailed, async () => await channel.OpenAtClientAsync(await channel.SealAtClientAsync(Request, 1)));
        await Check.RefusedAsync(
            ProtocolError.ChannelFailed, async () => await channel.OpenAtServerAsync(await channel.SealAtServerAsync(Reply, 1)));
    }

    [Fact]
    public async Task A_record_of_another_channel_fails_the_channel()
    {
        using var channel = await ChannelPair.OpenAsync();
        using var other = await ChannelPair.OpenAsync();
        var frame = await other.SealAtClientAsync(Request, 1);

        await Check.RefusedAsync(ProtocolError.ChannelFailed, () => channel.OpenAtServerAsync(frame));
        channel.Client.Session.Value.TryWriteBytes(frame, bigEndian: true, out _);
        await Check.RefusedAsync(ProtocolError.ChannelFailed, () => channel.OpenAtServerAsync(frame));
    }

    [Fact]
    public async Task A_clear_frame_after_the_handshake_fails_the_channel()
    {
        using var channel = await ChannelPair.OpenAsync();
        var frame = new byte[FrameHeader.Size + 6];
        new FrameHeader(channel.Client.Session, MessageCode.Error, 0, 6).Write(frame);

        await Check.RefusedAsync(ProtocolError.ChannelFailed, () => channel.OpenAtClientAsync(frame));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(48)]
    [InlineData(63)]
    [InlineData(65)]
    public async Task A_payload_of_a_size_that_no_record_has_fails_the_channel(int size)
    {
        using var channel = await ChannelPair.OpenAsync();
        var frame = new byte[FrameHeader.Size + size];
        new FrameHeader(channel.Client.Session, MessageCode.Logout, 1, size).Write(frame);

        await Check.RefusedAsync(ProtocolError.ChannelFailed, () => channel.OpenAtServerAsync(frame));
    }

    [Fact]
    public async Task The_limit_is_on_the_sealed_payload_and_can_be_raised()
    {
        using var channel = await ChannelPair.OpenAsync(serverOptions: new ChannelOptions { PayloadLimit = 1264 });
        // 1,215 bytes are sealed into 16 + 1,216 + 32; one byte more takes another block.
        await channel.OpenAtServerAsync(await channel.SealAtClientAsync(new RawMessage(MessageCode.Logout, new byte[1215]), 1));
        channel.Server.PayloadLimit = 1280;
        await channel.OpenAtServerAsync(await channel.SealAtClientAsync(new RawMessage(MessageCode.Logout, new byte[1216]), 2));
        channel.Server.PayloadLimit = 1279;

        await Check.RefusedAsync(
            ProtocolError.TooLarge,
            async () => await channel.OpenAtServerAsync(
                await channel.SealAtClientAsync(new RawMessage(MessageCode.Logout, new byte[1216]), 3)));
    }

    private static void AssertFitsPosition(int position, ProtocolError error)
    {
        if (position == 16)
        {
            Assert.Equal(ProtocolError.UnsupportedVersion, error);
        }
        else if (position is >= FrameHeader.HeaderSize and < FrameHeader.Size)
        {
            // A smaller size cuts the record, a larger one waits for bytes that never come or is over the limit.
            Assert.True(error is ProtocolError.ChannelFailed or ProtocolError.TooLarge or ProtocolError.Malformed, $"{position}: {error}");
        }
        else
        {
            Assert.Equal(ProtocolError.ChannelFailed, error);
        }
    }
}
