using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;

namespace KerberosMessaging.MessageServer.Tests.Domain;

/// <summary>What becomes of an envelope between its sender, its device and the disk.</summary>
public sealed class MailboxTests : IAsyncLifetime
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(50);
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000);

    private readonly MailboxOptions _limits = new() { MaxMessages = 20 };
    private readonly MemoryMailboxStore _store = new(new MemoryMailboxStore.Disk());
    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private TestCore _core = null!;
    private TestConnection _sender = null!;
    private bool _hasNumbers;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _core = await TestCore.StartAsync(_store, _limits, Start);
        _sender = await _core.ConnectAsync(_alice);
        _core.Disconnect(await ReceiveAsync(10));
    }

    public async ValueTask DisposeAsync()
    {
        _store.Release();
        await _core.DisposeAsync();
    }

    [Fact]
    public async Task What_is_acknowledged_in_time_is_never_written()
    {
        var bob = await ReceiveAsync(10);
        var sends = await SendAsync(3);
        var pushed = bob.Pushed;
        Assert.Equal(sends.Select(static send => send.Message), pushed.Select(static envelope => envelope.Message));
        Assert.All(sends, static send => Assert.False(send.IsAnswered));

        Assert.Null(bob.Mailbox.Acknowledge([new MailboxRange(pushed[0].Sequence, pushed[2].Sequence)]));
        Assert.All(sends, static send => Assert.True(send.IsAnswered));
        await AssertAcceptedAsync(sends);
        _core.Time.Advance(Grace);
        await _core.SettleAsync();
        Assert.Empty(_store.Inserted);
        Assert.Equal(0, bob.Mailbox.NewestUnsettled(out var isStored));
        Assert.False(isStored);
    }

    [Fact]
    public async Task What_is_not_acknowledged_in_time_is_written_and_then_its_sender_answered()
    {
        var bob = await ReceiveAsync(10);
        var send = await SendAsync();
        _core.Time.Advance(Grace - TimeSpan.FromMilliseconds(1));
        await _core.SettleAsync();
        Assert.False(send.IsAnswered);
        Assert.Empty(_store.Inserted);

        _core.Time.Advance(TimeSpan.FromMilliseconds(1));
        await AssertAcceptedAsync(send);
        var sequence = Assert.Single(bob.Sequences);
        Assert.Equal(sequence, Assert.Single(await _core.StoredAsync(bob)).Sequence);

        Assert.True(await _core.AcknowledgeAsync(bob, new MailboxRange(sequence, sequence)));
        Assert.Empty(await _core.StoredAsync(bob));
        await AssertRoomAsync();
    }

    [Fact]
    public async Task What_is_acknowledged_while_it_waits_for_the_writer_is_not_written()
    {
        var bob = await ReceiveAsync(10);
        _store.Hold();
        _core.Queue.Enqueue(new CloseMailboxWrite(TestDevice.Of("nobody").Address));
        await _store.HeldAsync();
        var send = await SendAsync();
        _core.Time.Advance(Grace);
        var sequence = Assert.Single(bob.Sequences);
        Assert.Null(bob.Mailbox.Acknowledge([new MailboxRange(sequence, sequence)]));
        await AssertAcceptedAsync(send);
        _store.Release();
        await _core.SettleAsync();
        Assert.Empty(_store.Inserted);
        await AssertRoomAsync();
    }

    [Fact]
    public async Task What_is_acknowledged_inside_its_transaction_is_answered_at_once_and_deleted_after_it()
    {
        var bob = await ReceiveAsync(10);
        var send = await SendAsync();
        _store.Hold();
        _core.Time.Advance(Grace);
        await _store.HeldAsync();
        var sequence = Assert.Single(bob.Sequences);
        var delete = bob.Mailbox.Acknowledge([new MailboxRange(sequence, sequence)])!;
        _core.Queue.Enqueue(delete);
        await AssertAcceptedAsync(send);
        Assert.Equal(0, bob.Mailbox.NewestUnsettled(out _));
        _store.Release();
        await _core.SettleAsync();
        Assert.Contains((bob.Mailbox.Id, sequence), _store.Inserted);
        Assert.Empty(await _core.StoredAsync(bob));
        Assert.Equal(1, send.Answers);
        await AssertRoomAsync();
    }

    [Fact]
    public async Task What_is_acknowledged_inside_its_transaction_does_not_go_to_the_next_connection()
    {
        var bob = await ReceiveAsync(10);
        await SendAsync();
        _store.Hold();
        _core.Time.Advance(Grace);
        await _store.HeldAsync();
        _core.Queue.Enqueue(bob.Mailbox.Acknowledge([new MailboxRange(bob.Sequences.Single(), long.MaxValue)])!);
        var next = await ReceiveAsync(10);
        var second = await SendAsync();
        Assert.Equal(second.Message, (await next.WaitForAsync(1, Cancellation))[0].Message);
        _store.Release();
        await AssertAcceptedAsync(second);
        await _core.SettleAsync();
        Assert.Single(next.Pushed);
    }

    [Fact]
    public async Task A_failed_transaction_takes_nothing_from_what_was_acknowledged_inside_it()
    {
        var bob = await ReceiveAsync(10);
        var send = await SendAsync();
        _store.Hold();
        _core.Time.Advance(Grace);
        await _store.HeldAsync();
        _core.Queue.Enqueue(bob.Mailbox.Acknowledge([new MailboxRange(bob.Sequences.Single(), long.MaxValue)])!);
        _store.Fails = true;
        _store.Release();
        await AssertAcceptedAsync(send);
        await Until.TrueAsync(() => _core.Log.Lines.Any(static line => line.Text.Contains("could not be committed", StringComparison.Ordinal)), Cancellation);
        _store.Fails = false;
        await _core.SettleAsync();
        Assert.Equal(1, send.Answers);
        await AssertRoomAsync();
    }

    [Fact]
    public async Task What_cannot_be_pushed_takes_all_before_it_to_disk_in_order()
    {
        var bob = await ReceiveAsync(3);
        var sends = await SendAsync(3);
        Assert.Null(bob.Mailbox.Acknowledge([new MailboxRange(bob.Pushed[1].Sequence, bob.Pushed[1].Sequence)]));
        _store.Hold();
        var fourth = await SendAsync();
        await _store.HeldAsync();
        _store.Release();
        await AssertAcceptedAsync([.. sends, fourth]);
        Assert.Equal(
            [sends[0].Message, sends[2].Message, fourth.Message],
            (await _core.StoredAsync(bob)).Select(static envelope => envelope.Message));
        Assert.Equal(3, bob.Pushed.Count);

        await _core.Deliveries.GrantAsync(bob, 5);
        Assert.Equal(fourth.Message, (await bob.WaitForAsync(4, Cancellation))[3].Message);
    }

    [Fact]
    public async Task Credit_that_is_used_up_stops_the_flow_and_new_credit_starts_it_without_a_commit_in_between()
    {
        var bob = await ReceiveAsync(1);
        _store.Hold();
        var sends = await SendAsync(4);
        Assert.Single(bob.Pushed);

        // They wait in a transaction that is not through, and come from memory.
        await _store.HeldAsync();
        await _core.Deliveries.GrantAsync(bob, 2);
        await bob.WaitForAsync(3, Cancellation);
        await _core.Deliveries.GrantAsync(bob, 0);
        Assert.Equal(3, bob.Pushed.Count);
        _store.Release();
        await AssertAcceptedAsync(sends);
        await _core.Deliveries.GrantAsync(bob, 1);
        AssertInOrder(await bob.WaitForAsync(4, Cancellation), sends);
    }

    [Fact]
    public async Task Credit_counts_up_to_its_limit()
    {
        var bob = await ReceiveAsync(uint.MaxValue);
        await _core.Deliveries.GrantAsync(bob, uint.MaxValue);
        Assert.Equal(DeviceConnection.MaxCredit, bob.Credit);
    }

    [Fact]
    public async Task What_was_pushed_down_a_connection_that_ended_goes_to_the_next_one_in_order()
    {
        var bob = await ReceiveAsync(10);
        var sends = await SendAsync(3);
        _core.Disconnect(bob);
        await AssertAcceptedAsync(sends);
        Assert.Equal(3, (await _core.StoredAsync(bob)).Count);
        var fourth = await SendAsync();
        var next = await ReceiveAsync(10);
        AssertInOrder(await next.WaitForAsync(4, Cancellation), [.. sends, fourth]);
    }

    [Fact]
    public async Task What_waits_in_a_transaction_goes_to_the_next_connection_once()
    {
        var bob = await ReceiveAsync(10);
        var sends = await SendAsync(2);
        _store.Hold();
        _core.Disconnect(bob);
        await _store.HeldAsync();
        var next = await ReceiveAsync(10);
        await next.WaitForAsync(2, Cancellation);
        var third = await SendAsync();
        _store.Release();
        await AssertAcceptedAsync(sends);
        _core.Time.Advance(Grace);
        await AssertAcceptedAsync(third);
        await _core.SettleAsync();
        AssertInOrder(next.Pushed, [.. sends, third]);
    }

    [Fact]
    public async Task A_newer_connection_gets_everything_and_the_older_one_is_told()
    {
        var older = await ReceiveAsync(10);
        var first = await SendAsync();
        var newer = await _core.ConnectAsync(_bob);
        var second = await SendAsync();
        Assert.False(older.IsTakenOver);
        Assert.Empty(newer.Pushed);

        await _core.Deliveries.GrantAsync(newer, 10);
        Assert.True(older.IsTakenOver);
        AssertInOrder(await newer.WaitForAsync(2, Cancellation), [first, second]);
        var third = await SendAsync();
        AssertInOrder(await newer.WaitForAsync(3, Cancellation), [first, second, third]);
        Assert.Equal(2, older.Pushed.Count);

        // The older one's credit, late, and its end change nothing.
        await _core.Deliveries.GrantAsync(older, 10);
        _core.Disconnect(older);
        var fourth = await SendAsync();
        AssertInOrder(await newer.WaitForAsync(4, Cancellation), [first, second, third, fourth]);
        Assert.Equal(2, older.Pushed.Count);

        // But what it had it may acknowledge.
        older.Mailbox.Acknowledge([new MailboxRange(older.Sequences.Last(), older.Sequences.Last())]);
        await AssertAcceptedAsync(second);
    }

    [Fact]
    public async Task A_receiver_without_room_gets_the_rest_when_it_has_some_and_nothing_twice()
    {
        var bob = await ReceiveAsync(100);
        bob.SetRoom(1);
        var sends = await SendAsync(3);
        await AssertAcceptedAsync(sends);
        Assert.Equal(3, (await _core.StoredAsync(bob)).Count);
        Assert.Single(bob.Pushed);
        bob.SetRoom(1);
        await bob.WaitForAsync(2, Cancellation);
        var fourth = await SendAsync();
        await AssertAcceptedAsync(fourth);
        bob.SetRoom(100);
        AssertInOrder(await bob.WaitForAsync(4, Cancellation), [.. sends, fourth]);

        // From now on they come before their commit again.
        await Until.TrueAsync(() => !bob.Mailbox.TryLook(bob, out _), Cancellation);
        var fifth = await SendAsync();
        AssertInOrder(await bob.WaitForAsync(5, Cancellation), [.. sends, fourth, fifth]);
    }

    [Fact]
    public async Task A_receiver_without_room_for_what_is_in_a_transaction_gets_it_later()
    {
        var bob = await ReceiveAsync(100);
        bob.SetRoom(0);
        _store.Hold();
        var sends = await SendAsync(3);
        await _store.HeldAsync();
        bob.Wake();
        bob.SetRoom(2);
        await bob.WaitForAsync(2, Cancellation);
        _store.Release();
        bob.SetRoom(10);
        AssertInOrder(await bob.WaitForAsync(3, Cancellation), sends);
        await AssertAcceptedAsync(sends);
    }

    [Fact]
    public async Task An_ephemeral_message_goes_to_whoever_is_there_with_credit_and_nowhere_else()
    {
        var phone = _bob with { Device = TestDevice.Of("bob").Device };
        var bob = await ReceiveAsync(2);
        var away = await _core.ConnectAsync(phone);
        var send = await EphemeralAsync(_bob, phone);
        await AssertAcceptedAsync(send);
        var pushed = Assert.Single(bob.Pushed);
        Assert.Equal((0L, send.Message, _alice.Address), (pushed.Sequence, pushed.Message, pushed.Sender));
        Assert.Equal(1, bob.Credit);

        // Numbers, room and ids are not touched.
        await EphemeralAsync(_bob, phone);
        Assert.Equal(0, bob.Credit);
        await AssertAcceptedAsync(await EphemeralAsync(_bob, phone));
        Assert.Equal(2, bob.Pushed.Count);
        Assert.Empty(away.Pushed);
        await _core.SettleAsync();
        Assert.Empty(_store.Inserted);
        _core.Disconnect(bob);
        var next = await ReceiveAsync(1);
        var durable = await _core.SendAsync(_sender, TestSend.Of(_alice, [_bob, phone], id: send.Message));
        Assert.Equal(durable.Message, (await next.WaitForAsync(1, Cancellation))[0].Message);
        Assert.NotEqual(0, next.Pushed[0].Sequence);
    }

    [Fact]
    public async Task An_ephemeral_message_names_wrong_devices_and_unknown_clients_like_any_other()
    {
        var stranger = _bob with { Device = TestDevice.Of("bob").Device };
        var mismatched = await (await EphemeralAsync(stranger)).AnswerAsync(Cancellation);
        Assert.Equal(SendStatus.DevicesMismatched, mismatched.Status);
        Assert.Equal([_bob.Device], mismatched.Missing);
        Assert.Equal(
            SendStatus.UnknownClient, (await (await EphemeralAsync(TestDevice.Of("nobody"))).AnswerAsync(Cancellation)).Status);
    }

    [Fact]
    public async Task While_the_store_fails_senders_are_told_and_later_all_is_well_and_all_room_is_back()
    {
        _store.Fails = true;
        var sends = await SendAsync(3);
        foreach (var send in sends)
        {
            Assert.Equal(SendStatus.Busy, (await send.AnswerAsync(Cancellation)).Status);
        }

        _store.Fails = false;
        var again = await _core.SendAsync(_sender, sends[0].Submission);
        await AssertAcceptedAsync(again);
        var bob = await ReceiveAsync(10);
        Assert.Equal(again.Message, Assert.Single(await bob.WaitForAsync(1, Cancellation)).Message);
        Assert.True(await _core.AcknowledgeAsync(bob, new MailboxRange(1, long.MaxValue)));
        await AssertRoomAsync();
    }

    [Fact]
    public async Task What_was_pushed_and_could_not_be_written_may_come_again_under_another_number()
    {
        var bob = await ReceiveAsync(10);
        var send = await SendAsync();
        _store.Fails = true;
        _core.Time.Advance(Grace);
        Assert.Equal(SendStatus.Busy, (await send.AnswerAsync(Cancellation)).Status);
        _store.Fails = false;
        var again = await _core.SendAsync(_sender, send.Submission);
        Assert.Equal([send.Message, send.Message], bob.Pushed.Select(static envelope => envelope.Message));
        Assert.True(bob.Pushed[0].Sequence < bob.Pushed[1].Sequence);
        bob.Mailbox.Acknowledge([new MailboxRange(1, long.MaxValue)]);
        await AssertAcceptedAsync(again);
        await AssertRoomAsync();
    }

    [Fact]
    public async Task A_store_that_cannot_be_read_holds_up_no_memory()
    {
        var stranger = TestDevice.Of("stranger");
        _store.FailsReads = true;
        for (var i = 0; i < 70; i++)
        {
            var refused = await _core.SendAsync(_sender, TestSend.Of(_alice, [stranger], new byte[1_000_000]));
            Assert.Equal(SendStatus.Busy, (await refused.AnswerAsync(Cancellation)).Status);
        }

        _store.FailsReads = false;
        await AssertAcceptedAsync(await SendAsync());
    }

    [Fact]
    public async Task Closing_a_mailbox_settles_what_is_under_way_and_leaves_nothing()
    {
        var bob = await ReceiveAsync(3);
        var committing = await SendAsync();
        _store.Hold();
        _core.Time.Advance(Grace);
        await _store.HeldAsync();
        var pushed = await SendAsync();
        var closing = _core.Mailboxes.CloseAsync(_bob.Address);
        await AssertAcceptedAsync(committing, pushed);
        _store.Release();
        Assert.Equal(new Committed<bool>(true, true), await closing);
        await _core.SettleAsync();
        Assert.Empty(await _core.StoredAsync(bob));
        _core.Disconnect(bob);

        var late = await SendAsync();
        Assert.Equal(SendStatus.UnknownClient, (await late.AnswerAsync(Cancellation)).Status);
        var anew = await ReceiveAsync(10);
        Assert.NotEqual(bob.Mailbox.Id, anew.Mailbox.Id);
        Assert.Equal(new Committed<bool>(true, false), await _core.Mailboxes.CloseAsync(TestDevice.Of("x").Address));
    }

    [Fact]
    public async Task No_number_is_pushed_before_it_is_reserved_on_disk()
    {
        var carol = TestDevice.Of("carol");
        _core.Disconnect(await _core.ConnectAsync(carol));
        _store.Hold();
        var receiver = await _core.ConnectAsync(carol, 100);
        await _store.HeldAsync();
        var send = await _core.SendAsync(_sender, TestSend.Of(_alice, [carol]));
        receiver.Wake();
        await _core.Deliveries.GrantAsync(receiver, 1);
        Assert.Empty(receiver.Pushed);
        Assert.False(send.IsAnswered);
        _store.Release();
        await receiver.WaitForAsync(1, Cancellation);
        Assert.True((await _store.FindAsync(carol.Client))[0].ReservedThrough >= receiver.Sequences.Single());

        // With a reservation of its own, so that it was written too.
        await AssertAcceptedAsync(send);
    }

    [Fact]
    public async Task The_newest_is_what_still_waits_wherever_it_is()
    {
        var bob = await ReceiveAsync(10);
        Assert.Equal(0, await _core.Deliveries.FindNewestAsync(bob));
        await SendAsync(2);
        Assert.Equal(bob.Sequences.Last(), await _core.Deliveries.FindNewestAsync(bob));
        bob.Mailbox.Acknowledge([new MailboxRange(bob.Sequences.Last(), bob.Sequences.Last())]);
        Assert.Equal(bob.Sequences.First(), await _core.Deliveries.FindNewestAsync(bob));
        _core.Time.Advance(Grace);
        await _core.SettleAsync();
        Assert.Equal(bob.Sequences.First(), await _core.Deliveries.FindNewestAsync(bob));
        await _core.AcknowledgeAsync(bob, new MailboxRange(1, long.MaxValue));
        Assert.Equal(0, await _core.Deliveries.FindNewestAsync(bob));
    }

    [Fact]
    public async Task What_is_told_after_the_server_has_stopped_is_told_once()
    {
        var bob = await ReceiveAsync(10);
        var sends = await SendAsync(2);
        await _core.StopAsync();
        _core.Disconnect(bob);
        bob.Mailbox.Acknowledge([new MailboxRange(1, long.MaxValue)]);
        foreach (var send in sends)
        {
            await send.AnswerAsync(Cancellation);
        }

        await Until.TrueAsync(() => bob.Mailbox.NewestUnsettled(out _) == 0, Cancellation);
        Assert.All(sends, static send => Assert.Equal(1, send.Answers));
    }

    private async Task<TestConnection> ReceiveAsync(uint credit)
    {
        var connection = await _core.ConnectAsync(_bob, credit);
        if (!_hasNumbers)
        {
            // From now on numbers are reserved, and what fits is pushed at once.
            await _core.SettleAsync();
            _hasNumbers = true;
        }

        return connection;
    }

    private async Task<TestSend> SendAsync() => await _core.SendAsync(_sender, TestSend.Of(_alice, [_bob]));

    private async Task<TestSend[]> SendAsync(int count)
    {
        var sends = new TestSend[count];
        for (var i = 0; i < count; i++)
        {
            sends[i] = await SendAsync();
        }

        return sends;
    }

    private Task<TestSend> EphemeralAsync(params TestDevice[] recipients) =>
        _core.SendAsync(_sender, TestSend.Of(_alice, recipients, isEphemeral: true));

    private static async Task AssertAcceptedAsync(params TestSend[] sends)
    {
        foreach (var send in sends)
        {
            var result = await send.AnswerAsync(Cancellation);
            Assert.Equal((SendStatus.Accepted, send.AcceptedAt), (result.Status, result.AcceptedAt));
            Assert.Equal(1, send.Answers);
        }
    }

    private static void AssertInOrder(IReadOnlyList<StoredEnvelope> pushed, TestSend[] sends)
    {
        Assert.Equal(sends.Select(static send => send.Message), pushed.Select(static envelope => envelope.Message));
        var sequences = pushed.Select(static envelope => envelope.Sequence).ToArray();
        Assert.Equal(sequences.Order().Distinct(), sequences);
    }

    /// <summary>The mailbox is empty: it takes as many as it may, and not one more.</summary>
    private async Task AssertRoomAsync()
    {
        await _core.SettleAsync();
        await AssertAcceptedAsync(await FillAsync(_limits.MaxMessages));
        Assert.Equal(SendStatus.QuotaExceeded, (await (await SendAsync()).AnswerAsync(Cancellation)).Status);
    }

    private async Task<TestSend[]> FillAsync(int count)
    {
        var sends = await SendAsync(count);
        _core.Time.Advance(Grace);
        return sends;
    }
}
