using System.IO.Pipelines;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport.Tests;

public sealed class OutgoingQueueTests
{
    private static readonly byte[] SessionKey = [.. Enumerable.Range(1, 64).Select(value => (byte)value)];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_leave_in_the_order_in_which_they_were_queued()
    {
        using var channel = await ChannelPair.OpenAsync();
        var queue = new OutgoingQueue(channel.Client);
        for (var i = 1u; i <= 10; i++)
        {
            await queue.EnqueueAsync(new Done(), i, Cancel);
        }

        queue.Complete();
        await queue.RunAsync(Cancel).WaitAsync(Check.Patience, Cancel);

        await channel.Wire.SendToServerAsync(channel.Wire.TakeFromClient());
        for (var i = 1u; i <= 10; i++)
        {
            Assert.Equal(i, (await channel.Server.ReadAsync(Cancel))!.Value.RequestId);
        }
    }

    [Fact]
    public async Task Nothing_leaves_between_a_barrier_and_its_key_and_then_all_under_the_mixed_key()
    {
        using var channel = await ChannelPair.OpenAsync();
        var queue = new OutgoingQueue(channel.Client);
        var key = new TaskCompletionSource<SecretBytes?>();
        await queue.EnqueueAsync(new Done(), 1, Cancel);
        await queue.EnqueueBarrierAsync(new Done(), 2, key.Task, Cancel);
        await queue.EnqueueAsync(new Done(), 3, Cancel);
        queue.Complete();

        var running = queue.RunAsync(Cancel);
        var before = channel.Wire.TakeFromClient();
        key.SetResult(new SecretBytes(SessionKey));
        await running.WaitAsync(Check.Patience, Cancel);
        var after = channel.Wire.TakeFromClient();

        Assert.Equal(1u, (await channel.OpenAtServerAsync(before)).RequestId);
        Assert.Equal(2u, (await channel.OpenAtServerAsync()).RequestId);
        Assert.Equal(FrameHeader.Size + AuthenticatedCbc.SealedLength(2 * Bundle.HeadSize), before.Length);
        channel.Server.MixReceive(SessionKey);
        Assert.Equal(3u, (await channel.OpenAtServerAsync(after)).RequestId);
    }

    [Fact]
    public async Task A_barrier_without_a_key_lets_the_rest_leave_under_the_old_one()
    {
        using var channel = await ChannelPair.OpenAsync();
        var queue = new OutgoingQueue(channel.Client);
        await queue.EnqueueBarrierAsync(new Done(), 1, Task.FromResult<SecretBytes?>(null), Cancel);
        await queue.EnqueueAsync(new Done(), 2, Cancel);
        queue.Complete();

        await queue.RunAsync(Cancel).WaitAsync(Check.Patience, Cancel);

        Assert.Equal(1u, (await channel.OpenAtServerAsync(channel.Wire.TakeFromClient())).RequestId);
        Assert.Equal(2u, (await channel.OpenAtServerAsync()).RequestId);
    }

    [Fact]
    public async Task A_full_queue_makes_its_producers_wait()
    {
        using var channel = await ChannelPair.OpenAsync();
        var queue = new OutgoingQueue(channel.Client);
        var queued = 0u;
        while (queue.TryEnqueue(new Done(), queued + 1))
        {
            queued++;
        }

        var waiting = queue.EnqueueAsync(new Done(), queued + 1, Cancel).AsTask();
        Assert.Equal(1024u, queued);
        Assert.False(waiting.IsCompleted);

        var running = queue.RunAsync(Cancel);
        await waiting.WaitAsync(Check.Patience, Cancel);
        queue.Complete();
        await running.WaitAsync(Check.Patience, Cancel);
        await channel.Wire.SendToServerAsync(channel.Wire.TakeFromClient());
        for (var i = 1u; i <= queued + 1; i++)
        {
            Assert.Equal(i, (await channel.Server.ReadAsync(Cancel))!.Value.RequestId);
        }
    }

    [Fact]
    public async Task A_completed_queue_takes_nothing_more()
    {
        using var channel = await ChannelPair.OpenAsync();
        var queue = new OutgoingQueue(channel.Client);
        queue.Complete();

        await Check.FailedAsync(ChannelFailure.ConnectionLost, async () => await queue.EnqueueAsync(new Done(), 1, Cancel));
        Assert.False(queue.TryEnqueue(new Done(), 1));
    }

    [Fact]
    public async Task A_peer_that_reads_no_more_ends_the_loop_and_closes_the_queue()
    {
        using var channel = await ChannelPair.OpenAsync();
        var queue = new OutgoingQueue(channel.Client);
        await queue.EnqueueAsync(new Done(), 1, Cancel);
        await channel.Wire.CloseTowardsClientAsync();

        await queue.RunAsync(Cancel).WaitAsync(Check.Patience, Cancel);

        await Check.FailedAsync(ChannelFailure.ConnectionLost, async () => await queue.EnqueueAsync(new Done(), 2, Cancel));
    }

    [Fact]
    public async Task A_producer_that_waits_for_room_fails_when_the_queue_completes()
    {
        using var channel = await ChannelPair.OpenAsync();
        var queue = new OutgoingQueue(channel.Client);
        while (queue.TryEnqueue(new Done(), 1))
        {
        }

        var enqueuing = queue.EnqueueAsync(new Done(), 2, Cancel).AsTask();
        var waiting = queue.WaitForRoomAsync(Cancel).AsTask();
        Assert.False(enqueuing.IsCompleted);
        Assert.False(waiting.IsCompleted);
        queue.Complete();

        await Check.FailedAsync(ChannelFailure.ConnectionLost, () => enqueuing);
        await Check.FailedAsync(ChannelFailure.ConnectionLost, () => waiting);
        Assert.False(queue.HasRoom);
    }

    [Fact]
    public async Task A_cancelled_loop_ends_at_once_and_closes_the_queue()
    {
        using var channel = await ChannelPair.OpenAsync();
        using var cancelling = new CancellationTokenSource();
        var queue = new OutgoingQueue(channel.Client);
        var running = queue.RunAsync(cancelling.Token);
        await queue.EnqueueAsync(new Done(), 1, Cancel);

        await cancelling.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Check.Patience, Cancel));
        Assert.False(queue.TryEnqueue(new Done(), 2));
    }

    [Fact]
    public async Task A_message_of_any_size_is_taken_but_no_other_beside_a_mebibyte()
    {
        using var channel = await ChannelPair.OpenAsync();
        var queue = new OutgoingQueue(channel.Client);
        Assert.True(queue.TryEnqueue(new Done(), 1, 1024 * 1024 - 1));
        Assert.True(queue.TryEnqueue(new Done(), 2, 5 * 1024 * 1024));
        Assert.False(queue.HasRoom);
        Assert.False(queue.TryEnqueue(new Done(), 3));
        var waiting = queue.EnqueueAsync(new Done(), 3, 10, Cancel).AsTask();
        Assert.False(waiting.IsCompleted);

        var running = queue.RunAsync(Cancel);

        await waiting.WaitAsync(Check.Patience, Cancel);
        await queue.WaitForRoomAsync(Cancel).AsTask().WaitAsync(Check.Patience, Cancel);
        Assert.True(queue.HasRoom);
        queue.Complete();
        await running.WaitAsync(Check.Patience, Cancel);
        await channel.Wire.SendToServerAsync(channel.Wire.TakeFromClient());
        for (var i = 1u; i <= 3; i++)
        {
            Assert.Equal(i, (await channel.Server.ReadAsync(Cancel))!.Value.RequestId);
        }
    }

    [Fact]
    public async Task A_peer_that_does_not_read_is_owed_no_more_than_the_bound()
    {
        var (near, far) = await OpenDirectlyAsync();
        using var sender = near;
        using var receiver = far;
        var queue = new OutgoingQueue(sender);
        var message = new RawMessage(MessageCode.Deliver, new byte[32 * 1024]);
        var queued = 0u;
        while (queue.TryEnqueue(message, queued + 1, message.Payload.Length))
        {
            queued++;
        }

        // Runs up to the flush that waits for the peer: what was sealed for it counts as waiting, too.
        var running = queue.RunAsync(Cancel);
        Assert.Equal(32u, queued);
        Assert.False(queue.HasRoom);
        var waiting = queue.EnqueueAsync(message, queued + 1, message.Payload.Length, Cancel).AsTask();
        for (var i = 1u; i <= queued; i++)
        {
            Assert.Equal(i, (await receiver.ReadAsync(Cancel))!.Value.RequestId);
        }

        await waiting.WaitAsync(Check.Patience, Cancel);
        Assert.Equal(queued + 1, (await receiver.ReadAsync(Cancel))!.Value.RequestId);
        await EndAsync(queue, running, receiver);
    }

    [Fact]
    public async Task Many_large_messages_do_not_leave_in_one_flush()
    {
        var (near, far) = await OpenDirectlyAsync();
        using var sender = near;
        using var receiver = far;
        var queue = new OutgoingQueue(sender);
        var message = new RawMessage(MessageCode.Deliver, new byte[20 * 1024]);
        for (var i = 1u; i <= 20; i++)
        {
            Assert.True(queue.TryEnqueue(message, i));
        }

        // Runs up to the flush that waits for the peer.
        var running = queue.RunAsync(Cancel);
        for (var i = 1u; i <= 4; i++)
        {
            Assert.Equal(i, (await receiver.ReadAsync(Cancel))!.Value.RequestId);
            Assert.Equal(i < 4, receiver.HasBufferedFrame);
        }

        for (var i = 5u; i <= 20; i++)
        {
            Assert.Equal(i, (await receiver.ReadAsync(Cancel))!.Value.RequestId);
        }

        await EndAsync(queue, running, receiver);
    }

    [Fact]
    public async Task Messages_of_many_producers_all_arrive_and_each_producer_s_in_order()
    {
        const int Producers = 4;
        const int Each = 5000;
        var (near, far) = await OpenDirectlyAsync();
        using var sender = near;
        using var receiver = far;
        var queue = new OutgoingQueue(sender);
        var running = queue.RunAsync(Cancel);
        var producing = Task.WhenAll(Enumerable.Range(0, Producers).Select(producer => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
            {
                var id = (uint)(producer * Each + i);
                if (i % 3 != 0 || !queue.TryEnqueue(new Done(), id))
                {
                    await queue.EnqueueAsync(new Done(), id, i % 7 * 10_000, Cancel);
                }
            }
        })));

        var next = new uint[Producers];
        for (var i = 0; i < Producers * Each; i++)
        {
            var id = (await receiver.ReadAsync(Cancel).AsTask().WaitAsync(Check.Patience, Cancel))!.Value.RequestId;
            Assert.Equal(next[id / Each]++, id % Each);
        }

        await producing.WaitAsync(Check.Patience, Cancel);
        await EndAsync(queue, running, receiver);
    }

    // Nobody in the middle; a flush over 64 KiB ends when the other end has read.
    private static async Task<(SecureChannel Server, SecureChannel Client)> OpenDirectlyAsync()
    {
        var toServer = new Pipe();
        var toClient = new Pipe();
        var connecting = SecureChannel.ConnectAsync(
            new DuplexPipe(toClient.Reader, toServer.Writer),
            ChannelPair.IsExpectedKey,
            new ChannelOptions(),
            Cancel);
        var server = await ChannelPair.AcceptAsync(new DuplexPipe(toServer.Reader, toClient.Writer));
        return (server!, await connecting);
    }

    // The last flush may wait until the receiver has said, by asking for more, that it is done with what it has.
    private static async Task EndAsync(OutgoingQueue queue, Task running, SecureChannel receiver)
    {
        queue.Complete();
        var asking = receiver.ReadAsync(Cancel).AsTask();
        await running.WaitAsync(Check.Patience, Cancel);
        Assert.False(asking.IsCompleted);
    }
}
