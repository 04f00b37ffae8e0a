using System.Runtime.InteropServices;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Transport.Tests;

/// <summary>Frames out of a stream that comes in any pieces, stops anywhere, or never goes on.</summary>
public sealed class FrameStreamTests
{
    private static readonly IWireMessage[] Messages = [new LookUpClientRequest("a"), new ListServersRequest(), new LookUpClientRequest("carol")];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_split_anywhere_carries_the_same_frames()
    {
        for (var split = 0; ; split++)
        {
            using var channel = await ChannelPair.OpenAsync();
            var stream = await SealAllAsync(channel);
            if (split > stream.Length)
            {
                break;
            }

            var reading = ReadAllAsync(channel.Server);
            await channel.Wire.SendToServerAsync(stream.AsMemory(0, split));
            await channel.Wire.SendToServerAsync(stream.AsMemory(split));
            await channel.Wire.EndTowardsServerAsync();

            Assert.Equal(["LookUpClient #1, 3 bytes", "ListServers #2, 0 bytes", "LookUpClient #3, 7 bytes"], await reading);
        }
    }

    [Fact]
    public async Task A_stream_of_single_bytes_carries_the_same_frames()
    {
        using var channel = await ChannelPair.OpenAsync();
        var stream = await SealAllAsync(channel);

        var reading = ReadAllAsync(channel.Server);
        for (var i = 0; i < stream.Length; i++)
        {
            await channel.Wire.SendToServerAsync(stream.AsMemory(i, 1));
        }

        await channel.Wire.EndTowardsServerAsync();

        Assert.Equal(3, (await reading).Count);
    }

    [Fact]
    public async Task An_end_inside_a_frame_is_an_error_and_between_frames_is_not()
    {
        var lengths = new HashSet<int>();
        for (var cut = 0; ; cut++)
        {
            using var channel = await ChannelPair.OpenAsync();
            var first = await channel.SealAtClientAsync(Messages[0], 1);
            byte[] stream = [.. first, .. await channel.SealAtClientAsync(Messages[1], 2)];
            if (cut > stream.Length)
            {
                break;
            }

            await channel.Wire.SendToServerAsync(stream.AsMemory(0, cut));
            await channel.Wire.EndTowardsServerAsync();

            if (cut == 0 || cut == first.Length || cut == stream.Length)
            {
                lengths.Add((await ReadAllAsync(channel.Server)).Count);
            }
            else
            {
                await Check.RefusedAsync(ProtocolError.Malformed, () => ReadAllAsync(channel.Server));
            }
        }

        Assert.Equal([0, 1, 2], lengths.Order());
    }

    [Fact]
    public async Task A_frame_that_is_not_complete_in_time_ends_the_connection()
    {
        var time = new FakeTimeProvider();
        using var channel = await ChannelPair.OpenAsync(serverOptions: new ChannelOptions { Time = time });
        var frame = await channel.SealAtClientAsync(Messages[0], 1);
        var reading = channel.Server.ReadAsync(Cancel).AsTask();
        await channel.Wire.SendToServerAsync(frame.AsMemory(0, 1));

        time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.False(reading.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));

        await Check.RefusedAsync(ProtocolError.TimedOut, () => reading);
    }

    [Fact]
    public async Task Dripping_bytes_do_not_extend_the_deadline()
    {
        var time = new FakeTimeProvider();
        using var channel = await ChannelPair.OpenAsync(serverOptions: new ChannelOptions { Time = time });
        var frame = await channel.SealAtClientAsync(Messages[0], 1);
        var reading = channel.Server.ReadAsync(Cancel).AsTask();
        for (var second = 0; second < 30; second++)
        {
            Assert.False(reading.IsCompleted);
            await channel.Wire.SendToServerAsync(frame.AsMemory(second, 1));
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await Check.RefusedAsync(ProtocolError.TimedOut, () => reading);
    }

    [Fact]
    public async Task Silence_between_frames_has_no_deadline()
    {
        var time = new FakeTimeProvider();
        using var channel = await ChannelPair.OpenAsync(serverOptions: new ChannelOptions { Time = time });
        await channel.CarryToServerAsync(1);
        var frame = await channel.SealAtClientAsync(Messages[0], 2);
        var reading = channel.Server.ReadAsync(Cancel).AsTask();

        time.Advance(TimeSpan.FromDays(1));
        Assert.False(reading.IsCompleted);
        await channel.Wire.SendToServerAsync(frame);

        Assert.Equal(2u, (await reading.WaitAsync(Check.Patience, Cancel))!.Value.RequestId);
    }

    [Fact]
    public async Task Each_frame_has_a_deadline_of_its_own()
    {
        var time = new FakeTimeProvider();
        using var channel = await ChannelPair.OpenAsync(serverOptions: new ChannelOptions { Time = time });
        for (var i = 1u; i <= 5; i++)
        {
            var frame = await channel.SealAtClientAsync(Messages[0], i);
            var reading = channel.Server.ReadAsync(Cancel).AsTask();
            await channel.Wire.SendToServerAsync(frame.AsMemory(0, 50));
            time.Advance(TimeSpan.FromSeconds(20));
            await channel.Wire.SendToServerAsync(frame.AsMemory(50));

            Assert.Equal(i, (await reading.WaitAsync(Check.Patience, Cancel))!.Value.RequestId);
        }
    }

    [Fact]
    public async Task A_frame_over_the_limit_is_refused_before_its_payload_comes()
    {
        using var channel = await ChannelPair.OpenAsync();
        var header = new byte[FrameHeader.Size];
        new FrameHeader(channel.Client.Session, MessageCode.SendMessage, 1, ProtocolLimits.PayloadBeforeAuthentication + 1).Write(header);

        await Check.RefusedAsync(ProtocolError.TooLarge, () => channel.OpenAtServerAsync(header));
    }

    [Fact]
    public async Task Frames_that_come_together_are_read_without_waiting()
    {
        using var channel = await ChannelPair.OpenAsync();
        var stream = await SealAllAsync(channel);
        Assert.False(channel.Server.HasBufferedFrame);
        Assert.False(channel.Server.TryRead(out _));
        await channel.Wire.SendToServerAsync(stream);

        Assert.Equal(1u, (await channel.Server.ReadAsync(Cancel))!.Value.RequestId);
        Assert.True(channel.Server.HasBufferedFrame);
        Assert.True(channel.Server.TryRead(out var second));
        Assert.Equal("ListServers #2, 0 bytes", second.ToString());
        Assert.True(channel.Server.HasBufferedFrame);
        var third = channel.Server.ReadAsync(Cancel);
        Assert.True(third.IsCompletedSuccessfully);
        Assert.Equal("LookUpClient #3, 7 bytes", (await third)!.Value.ToString());
        Assert.False(channel.Server.HasBufferedFrame);
        Assert.False(channel.Server.TryRead(out _));
    }

    [Fact]
    public async Task Part_of_a_frame_is_no_buffered_frame()
    {
        for (var part = 0; ; part++)
        {
            using var channel = await ChannelPair.OpenAsync();
            var first = await channel.SealAtClientAsync(Messages[0], 1);
            var second = await channel.SealAtClientAsync(Messages[1], 2);
            await channel.OpenAtServerAsync([.. first, .. second.AsSpan(0, part)]);

            Assert.Equal(part == second.Length, channel.Server.HasBufferedFrame);
            Assert.Equal(part == second.Length, channel.Server.TryRead(out _));
            if (part == second.Length)
            {
                break;
            }
        }
    }

    [Fact]
    public async Task A_refused_frame_behind_a_good_one_is_refused_in_its_turn()
    {
        using var channel = await ChannelPair.OpenAsync();
        var good = await channel.SealAtClientAsync(Messages[0], 1);
        var bad = await channel.SealAtClientAsync(Messages[1], 2);
        bad[16] = 24;

        Assert.Equal(1u, (await channel.OpenAtServerAsync([.. good, .. bad])).RequestId);

        Assert.True(channel.Server.HasBufferedFrame);
        Assert.Equal(ProtocolError.UnsupportedVersion, Assert.Throws<ProtocolException>(() => channel.Server.TryRead(out _)).Error);
    }

    [Fact]
    public async Task Part_of_a_frame_behind_whole_ones_has_a_deadline()
    {
        var time = new FakeTimeProvider();
        using var channel = await ChannelPair.OpenAsync(serverOptions: new ChannelOptions { Time = time });
        var stream = await SealAllAsync(channel);
        await channel.OpenAtServerAsync(stream[..^1]);
        await channel.OpenAtServerAsync();

        var reading = channel.Server.ReadAsync(Cancel).AsTask();
        time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.False(reading.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));

        await Check.RefusedAsync(ProtocolError.TimedOut, () => reading);
    }

    [Fact]
    public async Task A_read_that_is_cancelled_gives_no_frame_even_if_one_is_here()
    {
        using var channel = await ChannelPair.OpenAsync();
        await channel.OpenAtServerAsync(await SealAllAsync(channel));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await channel.Server.ReadAsync(new CancellationToken(canceled: true)));
        Assert.Equal(2u, (await channel.Server.ReadAsync(Cancel))!.Value.RequestId);
    }

    [Fact]
    public async Task A_small_frame_after_a_large_one_holds_nothing_of_it()
    {
        using var channel = await ChannelPair.OpenAsync(serverOptions: new ChannelOptions { PayloadLimit = 1024 * 1024 });
        var large = Enumerable.Repeat((byte)7, 900_000).ToArray();

        Assert.Equal(large, (await channel.OpenAtServerAsync(
            await channel.SealAtClientAsync(new RawMessage(MessageCode.UploadPrekeys, large), 1))).Payload.ToArray());
        var small = await channel.OpenAtServerAsync(await channel.SealAtClientAsync(new RawMessage(MessageCode.UploadPrekeys, [1, 2]), 2));

        Assert.Equal([1, 2], small.Payload.ToArray());
        Assert.True(MemoryMarshal.TryGetArray(small.Payload, out var held));
        Assert.True(held.Array!.Length < 1024);
    }

    private static async Task<byte[]> SealAllAsync(ChannelPair channel)
    {
        var stream = new List<byte>();
        for (var i = 0; i < Messages.Length; i++)
        {
            stream.AddRange(await channel.SealAtClientAsync(Messages[i], (uint)i + 1));
        }

        return [.. stream];
    }

    private static async Task<List<string>> ReadAllAsync(SecureChannel channel)
    {
        var frames = new List<string>();
        while (await channel.ReadAsync(Cancel).AsTask().WaitAsync(Check.Patience, Cancel) is { } frame)
        {
            frames.Add(frame.ToString());
        }

        return frames;
    }
}
