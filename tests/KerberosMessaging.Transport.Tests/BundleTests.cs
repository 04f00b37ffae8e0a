using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport.Tests;

public sealed class BundleTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_that_wait_together_share_a_record_and_are_read_one_by_one()
    {
        using var channel = await ChannelPair.OpenAsync();
        var sent = await SendTogetherAsync(channel, Enumerable.Range(1, 5).Select(static i => (IWireMessage)new Notice(NoticeKind.TakenOver, (uint)i)));

        Assert.Equal(FrameHeader.Size + AuthenticatedCbc.SealedLength(5 * (Bundle.HeadSize + 6)), sent.Length);
        await channel.Wire.SendToServerAsync(sent);
        for (var i = 1u; i <= 5; i++)
        {
            var frame = (await channel.Server.ReadAsync(Cancel))!.Value;
            Assert.Equal((MessageCode.Notice, i), (frame.Code, frame.RequestId));
            Assert.Equal(new Notice(NoticeKind.TakenOver, i), WireReader.ReadWhole<Notice>(frame.Payload.Span));
            Assert.Equal(i < 5, channel.Server.HasBufferedFrame);
        }
    }

    [Fact]
    public async Task A_message_that_waits_alone_is_a_frame_of_its_own()
    {
        using var channel = await ChannelPair.OpenAsync();
        var sent = await SendTogetherAsync(channel, [new Done()]);
        Assert.Equal(FrameHeader.Size + AuthenticatedCbc.SealedLength(0), sent.Length);
        Assert.Equal(MessageCode.Done, (await channel.OpenAtServerAsync(sent)).Code);
    }

    [Theory]
    [InlineData(100, 1000)]
    [InlineData(3, 15_000)]
    [InlineData(3, 40_000)]
    public async Task A_bundle_has_16_KiB_at_most_and_larger_messages_go_alone(int count, int size)
    {
        using var channel = await ChannelPair.OpenAsync();
        channel.Server.PayloadLimit = Math.Max(16 * 1024, size + Bundle.HeadSize) + 64;
        var messages = Enumerable.Range(0, count).Select(i => new RawMessage(MessageCode.Deliver, [.. Enumerable.Repeat((byte)i, size)])).ToArray();
        await channel.Wire.SendToServerAsync(await SendTogetherAsync(channel, messages));
        for (var i = 0; i < count; i++)
        {
            var frame = (await channel.Server.ReadAsync(Cancel))!.Value;
            Assert.Equal((MessageCode.Deliver, (uint)i + 1), (frame.Code, frame.RequestId));
            Assert.Equal(messages[i].Payload, frame.Payload.ToArray());
        }
    }

    [Fact]
    public async Task A_message_that_cannot_be_written_leaves_nothing_of_itself_behind()
    {
        using var channel = await ChannelPair.OpenAsync();
        channel.Client.Add(new Done(), 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.Client.Add(new CertificateOfWrongSize(), 2));
        channel.Client.Write(new Notice(NoticeKind.TakenOver, 0), 3);
        await channel.Client.FlushAsync(Cancel);
        Assert.Equal(3u, (await channel.OpenAtServerAsync(channel.Wire.TakeFromClient())).RequestId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("064F0000000500000001")]
    [InlineData("064F0000000500000000076D")]
    [InlineData("03EA00000000000000000000")]
    public async Task A_bundle_that_is_no_sequence_of_frames_ends_the_connection(string hex)
    {
        using var channel = await ChannelPair.OpenAsync();
        channel.Client.Write(new RawMessage(MessageCode.Bundle, Convert.FromHexString(hex)), 0);
        await channel.Client.FlushAsync(Cancel);
        await channel.Wire.SendToServerAsync(channel.Wire.TakeFromClient());
        var error = await Assert.ThrowsAsync<ProtocolException>(async () =>
        {
            while (await channel.Server.ReadAsync(Cancel).AsTask().WaitAsync(Check.Patience, Cancel) is not null)
            {
            }
        });
        Assert.Equal(ProtocolError.Malformed, error.Error);
    }

    private static async Task<byte[]> SendTogetherAsync(ChannelPair channel, IEnumerable<IWireMessage> messages)
    {
        var queue = new OutgoingQueue(channel.Client);
        var requestId = 0u;
        foreach (var message in messages)
        {
            Assert.True(queue.TryEnqueue(message, ++requestId));
        }

        queue.Complete();
        await queue.RunAsync(Cancel).WaitAsync(Check.Patience, Cancel);
        return channel.Wire.TakeFromClient();
    }

    private sealed class CertificateOfWrongSize : IWireMessage
    {
        public MessageCode FrameCode => MessageCode.Done;

        public void Write(WireWriter writer)
        {
            writer.WriteU32(1);
            writer.WriteFixed([1], 2);
        }
    }
}
