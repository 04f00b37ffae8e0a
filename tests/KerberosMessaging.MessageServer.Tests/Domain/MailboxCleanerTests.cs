using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;

namespace KerberosMessaging.MessageServer.Tests.Domain;

/// <summary>Purging and expiring mailboxes while the rest goes on, and what is counted meanwhile.</summary>
public sealed class MailboxCleanerTests : IAsyncLifetime
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(new MailboxOptions().PushGraceMilliseconds);
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000);

    private readonly MemoryMailboxStore.Disk _disk = new();
    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private readonly MailboxOptions _limits = new() { MaxMessages = 5000 };
    private MemoryMailboxStore _store = null!;
    private TestCore _core = null!;
    private TestConnection _sender = null!;
    private int _discarded;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await StartAsync();
        _core.Disconnect(await _core.ConnectAsync(_bob));
    }

    public async ValueTask DisposeAsync()
    {
        _store.Release();
        await _core.DisposeAsync();
    }

    [Fact]
    public async Task A_purge_takes_what_waits_on_disk_and_leaves_room_for_more()
    {
        await AcceptAsync(await SendAsync(1200));
        await PurgeAsync();

        Assert.Equal(1200, _discarded);
        await AssertWaitingAsync(0);
        Assert.Null(await _core.Queues.ReadOldestOfAllAsync());
        await AcceptAsync(await SendAsync(2));
        var bob = await _core.ConnectAsync(_bob, 10);
        Assert.Equal([1201L, 1202], (await bob.WaitForAsync(2, Cancellation)).Select(static envelope => envelope.Sequence));
        await AssertWaitingAsync(2);
    }

    [Fact]
    public async Task What_was_pushed_and_not_stored_counts_as_accepted_and_is_never_written()
    {
        var bob = await _core.ConnectAsync(_bob, 10);
        await _core.SettleAsync();
        var sends = await SendAsync(3);
        Assert.Equal(3, bob.Pushed.Count);
        Assert.All(sends, static send => Assert.False(send.IsAnswered));

        await PurgeAsync();
        await AcceptAsync(sends);
        Assert.Equal(3, _discarded);
        _core.Time.Advance(Grace);
        await _core.SettleAsync();
        Assert.Empty(_store.Inserted);
        await AssertWaitingAsync(0);

        // The sender's repeat is answered as the first was, and the device's late acknowledgement does no harm.
        var repeat = await _core.SendAsync(_sender, sends[0].Submission);
        Assert.Equal(SendStatus.Accepted, (await repeat.AnswerAsync(Cancellation)).Status);
        Assert.True(await _core.AcknowledgeAsync(bob, new MailboxRange(bob.Pushed[0].Sequence, bob.Pushed[2].Sequence)));
        await AssertWaitingAsync(0);
        Assert.Equal(3, bob.Pushed.Count);
    }

    [Fact]
    public async Task What_is_in_a_transaction_goes_after_it()
    {
        _store.Hold();
        var first = await SendAsync(1);
        await _store.HeldAsync();
        var second = await SendAsync(1);
        var purge = PurgeAsync();
        await AcceptAsync(second);
        Assert.All(first, static send => Assert.False(send.IsAnswered));
        _store.Release();
        await purge;

        await AcceptAsync(first);
        Assert.Equal(2, _discarded);
        Assert.Single(_store.Inserted);
        await AssertWaitingAsync(0);
    }

    [Fact]
    public async Task Only_what_is_old_enough_expires()
    {
        await AcceptAsync(await SendAsync(3));
        _core.Time.Advance(TimeSpan.FromHours(1));
        var middle = _core.Time.GetUtcNow();
        await AcceptAsync(await SendAsync(2));

        await _core.Cleaner.DiscardAsync(_bob.Address, middle, Count, Cancellation);
        Assert.Equal(3, _discarded);
        await AssertWaitingAsync(2);
        Assert.Equal(middle, await _core.Queues.ReadOldestOfAllAsync());
    }

    [Fact]
    public async Task Everywhere_is_every_mailbox_in_memory_or_not()
    {
        await AcceptAsync(await SendAsync(3));
        await RestartAsync();
        await _core.MeasureAsync();
        var carol = TestDevice.Of("carol");
        _core.Disconnect(await _core.ConnectAsync(carol));
        await AcceptAsync([await _core.SendAsync(_sender, TestSend.Of(_alice, [carol]))]);
        _core.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(4, _core.Queues.ReadSum()!.Value.Count);

        await _core.Cleaner.DiscardEverywhereAsync(_core.Time.GetUtcNow(), Count, Cancellation);
        Assert.Equal(4, _discarded);
        Assert.Equal((0, 0), _core.Queues.ReadSum());
        Assert.Empty(_disk.Committed.Envelopes);
    }

    [Fact]
    public async Task It_ends_between_two_steps_when_it_is_told_to()
    {
        await AcceptAsync(await SendAsync(1100));
        using var abort = new CancellationTokenSource();
        await Assert.ThrowsAsync<OperationCanceledException>(() => _core.Cleaner.DiscardAsync(
            _bob.Address,
            DateTimeOffset.MaxValue,
            count =>
            {
                Count(count);
                if (_discarded >= 500)
                {
                    abort.Cancel();
                }
            },
            abort.Token));
        Assert.Equal(500, _discarded);
        await AssertWaitingAsync(600);
        await PurgeAsync();
        await AssertWaitingAsync(0);
    }

    [Fact]
    public async Task A_store_that_fails_fails_it_and_the_numbers_stay_right()
    {
        await AcceptAsync(await SendAsync(10));
        _store.Fails = true;
        await Assert.ThrowsAsync<IOException>(PurgeAsync);
        _store.Fails = false;
        await AssertWaitingAsync(10);
        await PurgeAsync();
        await AssertWaitingAsync(0);
    }

    [Fact]
    public async Task An_unknown_mailbox_is_nothing_to_purge()
    {
        await _core.Cleaner.DiscardAsync(TestDevice.Of("nobody").Address, DateTimeOffset.MaxValue, Count, Cancellation);
        Assert.Equal(0, _discarded);
    }

    [Fact]
    public async Task Under_load_a_purge_takes_only_what_was_there_and_all_numbers_are_right_after_it()
    {
        var bob = await _core.ConnectAsync(_bob, 1000);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var sends = new List<TestSend>();
        var sending = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                sends.AddRange(await SendAsync(5));
                await Task.Yield();
                if (sends.Count(static send => !send.IsAnswered) > 200)
                {
                    _core.Time.Advance(Grace);
                }
            }
        }, Cancellation);

        // A device that acknowledges some of what comes, and whose mail goes through the disk now and then.
        var receiving = Task.Run(async () =>
        {
            var seen = 0;
            while (!stop.IsCancellationRequested)
            {
                var pushed = bob.Pushed;
                for (; seen < pushed.Count; seen++)
                {
                    if (seen % 3 != 0)
                    {
                        await _core.AcknowledgeAsync(bob, new MailboxRange(pushed[seen].Sequence, pushed[seen].Sequence));
                    }
                }

                await _core.Deliveries.GrantAsync(bob, 50);
                await Task.Yield();
            }
        }, Cancellation);
        for (var i = 0; i < 30; i++)
        {
            await PurgeAsync();
        }

        await stop.CancelAsync();
        await Task.WhenAll(sending, receiving);
        _core.Time.Advance(Grace);
        await AcceptAsync(sends);
        Assert.All(sends, static send => Assert.Equal(1, send.Answers));
        await _core.SettleAsync();
        await AssertWaitingAsync(bob.Mailbox.Measure().Count);

        // What comes after the last purge comes, in order and once.
        await PurgeAsync();
        await AssertWaitingAsync(0);
        var last = await SendAsync(3);
        _core.Time.Advance(Grace);
        await AcceptAsync(last);
        await _core.Deliveries.GrantAsync(bob, 1000);
        await Until.TrueAsync(() => bob.Pushed.Select(static envelope => envelope.Message).Contains(last[2].Message), Cancellation);
        Assert.Equal(last.Select(static send => send.Message), bob.Pushed.TakeLast(3).Select(static envelope => envelope.Message));
        Assert.Equal(bob.Sequences.Order().Distinct(), bob.Sequences);
    }

    [Fact]
    public async Task The_fullest_are_found_on_disk_and_in_memory()
    {
        var (carol, dave) = (TestDevice.Of("carol"), TestDevice.Of("dave"));
        _core.Disconnect(await _core.ConnectAsync(carol));
        _core.Disconnect(await _core.ConnectAsync(dave));
        await AcceptAsync([await _core.SendAsync(_sender, TestSend.Of(_alice, [carol], new byte[5000]))]);
        _core.Time.Advance(TimeSpan.FromMinutes(1));
        await AcceptAsync(await SendAsync(3));
        _core.Time.Advance(TimeSpan.FromMinutes(1));

        // These are in memory alone.
        var receiver = await _core.ConnectAsync(dave, 100);
        await _core.SettleAsync();
        for (var i = 0; i < 2; i++)
        {
            await _core.SendAsync(_sender, TestSend.Of(_alice, [dave], new byte[1000]));
        }

        Assert.Equal(2, receiver.Pushed.Count);
        Assert.Equal(["bob", "dave", "carol"], await TopAsync(QueueOrder.Depth));
        Assert.Equal(["carol", "dave", "bob"], await TopAsync(QueueOrder.Bytes));
        Assert.Equal(["carol", "bob", "dave"], await TopAsync(QueueOrder.Age));
        Assert.Equal((6, 5000 + 150 + 2000), _core.Queues.ReadSum());
        Assert.Equal(Start, await _core.Queues.ReadOldestOfAllAsync());
        var queue = Assert.Single(await _core.Queues.FindAsync(new QueueFilter(Device: dave.Device)));
        Assert.Equal((2, 2000, _core.Time.GetUtcNow()), (queue.Waiting, queue.Bytes, queue.OldestAcceptedAt));
        Assert.Equal((receiver.Pushed[0].Sequence, receiver.Pushed[1].Sequence), (queue.OldestSequence, queue.NewestSequence));

        async Task<IEnumerable<string>> TopAsync(QueueOrder order) =>
            (await _core.Queues.ReadTopAsync(order, 10)).Select(static row => row.ClientName);
    }

    [Fact]
    public async Task After_a_restart_what_waits_is_counted_again_and_nothing_twice()
    {
        await AcceptAsync(await SendAsync(7));
        await RestartAsync();
        Assert.Null(_core.Queues.ReadSum());
        Assert.False(_core.Queues.IsReady);

        await AcceptAsync(await SendAsync(2));
        await _core.MeasureAsync();
        await AcceptAsync(await SendAsync(3));
        Assert.True(_core.Queues.IsReady);
        await AssertWaitingAsync(12);
        await _core.Mailboxes.CloseAsync(_bob.Address);
        Assert.Equal((0, 0), _core.Queues.ReadSum());
    }

    private async Task StartAsync()
    {
        _store = new MemoryMailboxStore(_disk);
        _core = await TestCore.StartAsync(_store, _limits, Start);
        if (_disk.Committed.Envelopes.Count == 0)
        {
            await _core.MeasureAsync();
        }

        _sender = await _core.ConnectAsync(_alice);
    }

    private async Task RestartAsync()
    {
        await _core.DisposeAsync();
        await StartAsync();
    }

    private Task PurgeAsync() => _core.Cleaner.DiscardAsync(_bob.Address, DateTimeOffset.MaxValue, Count, Cancellation);

    private void Count(int count) => _discarded += count;

    private async Task<TestSend[]> SendAsync(int count)
    {
        var sends = new TestSend[count];
        for (var i = 0; i < count; i++)
        {
            sends[i] = await _core.SendAsync(_sender, TestSend.Of(_alice, [_bob]));
        }

        return sends;
    }

    private static async Task AcceptAsync(IEnumerable<TestSend> sends)
    {
        foreach (var send in sends)
        {
            Assert.Equal(SendStatus.Accepted, (await send.AnswerAsync(Cancellation)).Status);
        }
    }

    // On disk, in the mailbox, in the totals and in the list: the same number everywhere.
    private async Task AssertWaitingAsync(int count)
    {
        Assert.Equal(count, _disk.Committed.Envelopes.Count);
        Assert.Equal(count, _core.Mailboxes.Find(_bob.Address)!.Measure().Count);
        var queue = Assert.Single(await _core.Queues.FindAsync(new QueueFilter(Device: _bob.Device)));
        Assert.Equal(count, queue.Waiting);
        Assert.Equal(count == 0, queue.OldestAcceptedAt is null);
        Assert.Equal((queue.Waiting, queue.Bytes), _core.Queues.ReadSum());
        Assert.Equal((queue.Waiting, queue.Bytes), _core.Queue.Totals.All);
    }
}
