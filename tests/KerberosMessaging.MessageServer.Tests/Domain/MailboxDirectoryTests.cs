using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Tests.Domain;

public sealed class MailboxDirectoryTests : IAsyncLifetime
{
    private readonly MemoryMailboxStore _store = new(new MemoryMailboxStore.Disk());
    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private TestCore _core = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private MailboxDirectory Mailboxes => _core.Mailboxes;

    public async ValueTask InitializeAsync() => _core = await TestCore.StartAsync(
        _store, new MailboxOptions(), DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000), clientsInMemory: 0);

    public async ValueTask DisposeAsync()
    {
        _store.Release();
        await _core.DisposeAsync();
    }

    [Fact]
    public async Task A_mailbox_that_is_opened_again_is_the_same_and_written_once_a_minute()
    {
        var mailbox = (await _core.ConnectAsync(_bob)).Mailbox;
        var batches = _core.Queue.Batches;
        _core.Time.Advance(TimeSpan.FromSeconds(59));
        Mailboxes.Sweep();
        Assert.Same(mailbox, (await _core.ConnectAsync(_bob)).Mailbox);
        Assert.Equal(batches, _core.Queue.Batches);
        _core.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Same(mailbox, (await _core.ConnectAsync(_bob)).Mailbox);
        Assert.Equal(batches + 1, _core.Queue.Batches);
    }

    [Fact]
    public async Task Whoever_opens_a_mailbox_at_the_same_time_gets_the_same_object()
    {
        var opened = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => _core.ConnectAsync(_bob), Cancellation)));
        Assert.Single(opened.Select(static connection => connection.Mailbox).Distinct());
        Assert.Same(opened[0].Mailbox, Mailboxes.Find(_bob.Address));
        Assert.Same(opened[0].Mailbox, Mailboxes.Find(opened[0].Mailbox.Id));
        Assert.Same(opened[0].Mailbox, Assert.Single(Mailboxes.All));
    }

    [Fact]
    public async Task Unknown_clients_leave_nothing_behind()
    {
        for (var i = 0; i < 100; i++)
        {
            Assert.Empty(await Mailboxes.FindAsync(ClientId.New()));
        }

        Assert.Empty(Mailboxes.All);
        _core.Disconnect(await _core.ConnectAsync(_bob));
        Assert.Single(await Mailboxes.FindAsync(_bob.Client));
    }

    [Fact]
    public async Task What_is_not_used_leaves_memory_and_comes_back_with_all_that_waits()
    {
        var sender = await _core.ConnectAsync(_alice);
        var bob = await _core.ConnectAsync(_bob, 10);
        await _core.SettleAsync();
        var first = await _core.SendAsync(sender, TestSend.Of(_alice, [_bob]));
        var before = bob.Sequences.Single();
        _core.Disconnect(bob);
        await first.AnswerAsync(Cancellation);
        await _core.SettleAsync();
        Mailboxes.Sweep();
        Assert.Null(Mailboxes.Find(_bob.Address));
        Assert.Null(Mailboxes.Find(bob.Mailbox.Id));

        var second = await _core.SendAsync(sender, TestSend.Of(_alice, [_bob]));
        Assert.Equal(SendStatus.Accepted, (await second.AnswerAsync(Cancellation)).Status);
        var next = await _core.ConnectAsync(_bob, 10);
        Assert.NotSame(bob.Mailbox, next.Mailbox);
        Assert.Equal(bob.Mailbox.Id, next.Mailbox.Id);
        var pushed = await next.WaitForAsync(2, Cancellation);
        Assert.Equal([first.Message, second.Message], pushed.Select(static envelope => envelope.Message));
        Assert.Equal(before, pushed[0].Sequence);
        Assert.True(pushed[1].Sequence > before);
    }

    [Fact]
    public async Task Whoever_is_connected_or_has_mail_under_way_stays()
    {
        var sender = await _core.ConnectAsync(_alice);
        var bob = await _core.ConnectAsync(_bob, 10);
        await _core.SettleAsync();
        Mailboxes.Sweep();
        Assert.Same(bob.Mailbox, Mailboxes.Find(_bob.Address));

        await _core.SendAsync(sender, TestSend.Of(_alice, [_bob]));
        _store.Hold();
        _core.Disconnect(bob);
        await _store.HeldAsync();
        Mailboxes.Sweep();
        Assert.Same(bob.Mailbox, Mailboxes.Find(_bob.Address));

        // It goes on as if nothing had been asked.
        _store.Release();
        var second = await _core.SendAsync(sender, TestSend.Of(_alice, [_bob]));
        Assert.Equal(SendStatus.Accepted, (await second.AnswerAsync(Cancellation)).Status);
        await _core.SettleAsync();
        Mailboxes.Sweep();
        Assert.Null(Mailboxes.Find(_bob.Address));
    }

    [Fact]
    public async Task A_client_with_one_device_that_is_needed_stays_with_all_its_devices()
    {
        var phone = TestDevice.Of("bob", _bob.Client);
        var connected = await _core.ConnectAsync(_bob);
        _core.Disconnect(await _core.ConnectAsync(phone));
        Mailboxes.Sweep();
        Assert.NotNull(Mailboxes.Find(phone.Address));
        var send = await _core.SendAsync(connected, TestSend.Of(_bob, [phone]));
        Assert.Equal(SendStatus.Accepted, (await send.AnswerAsync(Cancellation)).Status);
        _core.Disconnect(connected);
        await _core.SettleAsync();
        Mailboxes.Sweep();
        Assert.Empty(Mailboxes.All);
    }

    [Fact]
    public async Task A_sender_whose_message_is_under_way_stays_so_that_a_repeat_is_known()
    {
        var sender = await _core.ConnectAsync(_alice);
        var bob = await _core.ConnectAsync(_bob, 10);
        await _core.SettleAsync();
        var send = await _core.SendAsync(sender, TestSend.Of(_alice, [_bob]));
        _core.Disconnect(sender);
        Mailboxes.Sweep();
        var again = await _core.ConnectAsync(_alice);
        var repeat = await _core.SendAsync(again, send.Submission);
        Assert.Single(bob.Pushed);
        _core.Time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal(SendStatus.Accepted, (await repeat.AnswerAsync(Cancellation)).Status);
        Assert.Equal(SendStatus.Accepted, (await send.AnswerAsync(Cancellation)).Status);
    }

    [Fact]
    public async Task Sending_connecting_and_sweeping_at_once_lose_nothing()
    {
        using var done = new CancellationTokenSource();
        var sweeping = Task.Run(
            () =>
            {
                while (!done.IsCancellationRequested)
                {
                    Mailboxes.Sweep();
                }
            },
            Cancellation);
        var sender = await _core.ConnectAsync(_alice);
        _core.Disconnect(await _core.ConnectAsync(_bob));
        var sent = new List<MessageId>();
        var seen = new List<(long Sequence, MessageId Message)>();
        for (var i = 0; i < 200; i++)
        {
            var send = await _core.SendAsync(sender, TestSend.Of(_alice, [_bob], [1]));
            Assert.Equal(SendStatus.Accepted, (await send.AnswerAsync(Cancellation)).Status);
            sent.Add(send.Message);
            if (i % 10 == 9)
            {
                var bob = await _core.ConnectAsync(_bob, 100);
                seen.AddRange((await bob.WaitForAsync(10, Cancellation)).Select(static envelope => (envelope.Sequence, envelope.Message)));
                Assert.True(await _core.AcknowledgeAsync(bob, new MailboxRange(1, seen[^1].Sequence)));
                _core.Disconnect(bob);
            }
        }

        await done.CancelAsync();
        await sweeping;
        Assert.Equal(sent, seen.Select(static one => one.Message));
        Assert.Equal(seen.Select(static one => one.Sequence).Order(), seen.Select(static one => one.Sequence));
    }
}
