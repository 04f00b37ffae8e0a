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
        Assert.Equal(2 * (FrameHeader.Size + 64), before.Length);
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
        Assert.Equal(256u, queued);
        Assert.False(waiting.IsCompleted);

        var running = queue.RunAsync(Cancel);
        await waiting.WaitAsync(Check.Patience, Cancel);
        queue.Complete();
        await running.WaitAsync(Check.Patience, Cancel);
        Assert.Equal((queued + 1) * (FrameHeader.Size + 64), (uint)channel.Wire.TakeFromClient().Length);
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
}
