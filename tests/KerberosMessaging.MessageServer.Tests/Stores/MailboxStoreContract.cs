using System.Security.Cryptography;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Tests.Stores;

/// <summary>What every mailbox store must do; a second implementation derives from this too.</summary>
public abstract partial class MailboxStoreContract : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000);

    private protected MailboxOptions Limits { get; } = new();

    private protected IMailboxStore Store { get; private set; } = null!;

    /// <summary>Opens a store on the same data, whether or not the one before was closed.</summary>
    private protected abstract Task<IMailboxStore> OpenAsync();

    private protected abstract ValueTask CloseAsync();

    public async ValueTask InitializeAsync() => Store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Opening_a_mailbox_again_gives_the_same_one_and_remembers_the_new_name()
    {
        var bob = TestDevice.Of("bob");
        var first = await OpenAsync(bob);
        Assert.Equal(first, await OpenAsync(bob with { Name = "robert" }));
        await ReopenAsync();
        Assert.Equal(first, await OpenAsync(bob with { Name = "robert" }));
        var queue = Assert.Single(await Store.ReadQueuesAsync(null, 10));
        Assert.Equal("robert", queue.ClientName);
        Assert.Equal(bob.Address, queue.Device);
    }

    [Fact]
    public async Task A_client_gets_no_more_mailboxes_than_one_message_can_reach()
    {
        var bob = TestDevice.Of("bob");
        for (var i = 0; i < ProtocolLimits.DevicesPerClient; i++)
        {
            Assert.NotNull(await OpenAsync(TestDevice.Of("bob", bob.Client)));
        }

        Assert.Null(await OpenAsync(TestDevice.Of("bob", bob.Client)));
    }

    [Fact]
    public async Task A_closed_mailbox_is_gone_with_all_that_waited_in_it_and_its_number_is_not_given_again()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        var phone = TestDevice.Of("bob", bob.Client);
        var other = await OpenAsync(phone);
        await AppendAsync(new Submission(
            alice.Address, alice.Name, MessageId.New(), bob.Client, 0, [new(bob.Device, [1, 2, 3]), new(phone.Device, [4, 5, 6])]));

        Assert.True(await CloseMailboxAsync(bob));
        Assert.False(await CloseMailboxAsync(bob));

        Assert.Empty(await ReadAsync(mailbox));
        Assert.Single(await ReadAsync(other!.Value));
        Assert.DoesNotContain(await Store.ReadQueuesAsync(null, 10), queue => queue.Device == bob.Address);

        // Senders leave it out from now on, before and after the store was opened anew.
        Assert.Equal(SendStatus.Accepted, (await AppendAsync(Submit(alice, phone))).Status);
        await ReopenAsync();
        Assert.Equal(SendStatus.Accepted, (await AppendAsync(Submit(alice, phone))).Status);
        Assert.True(await CloseMailboxAsync(phone));
        Assert.Equal(SendStatus.UnknownClient, (await AppendAsync(Submit(alice, phone))).Status);
        Assert.NotEqual(mailbox, await OpenAsync(bob));
    }

    [Fact]
    public async Task Messages_are_read_in_the_order_of_their_appending_with_all_that_was_given()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        var bodies = Enumerable.Range(0, 5).Select(static _ => RandomNumberGenerator.GetBytes(100)).ToArray();
        var submissions = bodies.Select(body => Submit(alice, bob, body)).ToArray();
        await WriteAsync(Start, submissions.Select(static submission => new AppendWrite(submission, TimeSpan.FromDays(1))).ToArray());

        var read = await ReadAsync(mailbox);
        Assert.Equal([1, 2, 3, 4, 5], read.Select(static envelope => envelope.Sequence));
        Assert.Equal(bodies, read.Select(static envelope => envelope.Body));
        Assert.Equal(submissions.Select(static submission => submission.Message), read.Select(static envelope => envelope.Message));
        Assert.All(read, envelope => Assert.Equal(
            (alice.Address, "alice", Start), (envelope.Sender, envelope.SenderName, envelope.AcceptedAt)));
    }

    [Fact]
    public async Task Reading_starts_after_a_position_and_stops_at_the_count_or_the_bytes()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        for (var i = 0; i < 5; i++)
        {
            await AppendAsync(Submit(alice, bob, new byte[100]));
        }

        AssertSequences(await Store.ReadAsync(mailbox, 2, Start, 100, 10_000), 3, 4, 5);
        AssertSequences(await Store.ReadAsync(mailbox, 2, Start, 2, 10_000), 3, 4);
        AssertSequences(await Store.ReadAsync(mailbox, 0, Start, 100, 150), 1, 2);
        AssertSequences(await Store.ReadAsync(mailbox, 0, Start, 100, 1), 1);
        Assert.Empty(await Store.ReadAsync(mailbox, 5, Start, 100, 10_000));
    }

    [Fact]
    public async Task What_is_not_acknowledged_is_read_again_after_reopening()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        await AppendAsync(Submit(alice, bob));
        await AppendAsync(Submit(alice, bob));
        AssertSequences(await ReadAsync(mailbox), 1, 2);
        await ReopenAsync();
        AssertSequences(await ReadAsync(mailbox), 1, 2);
    }

    [Fact]
    public async Task What_was_committed_is_there_for_a_store_that_opens_while_the_old_one_never_closed()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        var submission = Submit(alice, bob);
        var accepted = await AppendAsync(submission);

        // As after kill -9: nothing was closed, no buffer was flushed on the way out.
        Store = await OpenAsync();
        AssertSequences(await ReadAsync(mailbox), 1);
        Assert.Equal(accepted, await AppendAsync(submission));
        await AppendAsync(Submit(alice, bob));
        AssertSequences(await ReadAsync(mailbox), 1, 2);
    }

    [Fact]
    public async Task Acknowledged_ranges_are_gone_and_numbers_that_are_not_there_do_no_harm()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        for (var i = 0; i < 10; i++)
        {
            await AppendAsync(Submit(alice, bob));
        }

        Assert.Equal(5, await AcknowledgeAsync(mailbox, new MailboxRange(2, 3), new MailboxRange(5, 5), new MailboxRange(9, long.MaxValue)));
        AssertSequences(await ReadAsync(mailbox), 1, 4, 6, 7, 8);
        Assert.Equal(0, await AcknowledgeAsync(mailbox, new MailboxRange(2, 3), new MailboxRange(5, 5), new MailboxRange(100, 200)));
        Assert.Equal(8, await Store.ReadNewestAsync(mailbox, Start));
    }

    [Fact]
    public async Task Acknowledging_touches_no_other_mailbox()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        var carol = TestDevice.Of("carol");
        var other = (await OpenAsync(carol))!.Value;
        await AppendAsync(Submit(alice, bob));
        await AppendAsync(Submit(alice, carol));
        await AcknowledgeAsync(mailbox, new MailboxRange(1, 100));
        Assert.Empty(await ReadAsync(mailbox));
        AssertSequences(await ReadAsync(other), 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sequence_numbers_are_never_used_again_even_when_all_was_acknowledged(bool reopen)
    {
        var (alice, bob, mailbox) = await TwoAsync();
        await AppendAsync(Submit(alice, bob));
        await AppendAsync(Submit(alice, bob));
        await AcknowledgeAsync(mailbox, new MailboxRange(1, 2));
        Assert.Equal(0, await Store.ReadNewestAsync(mailbox, Start));
        if (reopen)
        {
            await ReopenAsync();
        }

        await AppendAsync(Submit(alice, bob));
        AssertSequences(await ReadAsync(mailbox), 3);
        Assert.Equal(3, (await Store.ReadQueuesAsync(null, 10)).Single(queue => queue.Device == bob.Address).LastSequence);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_repeat_is_answered_as_the_first_was_and_stored_once(bool reopen)
    {
        var (alice, bob, mailbox) = await TwoAsync();
        var submission = Submit(alice, bob);
        var first = await AppendAsync(submission);
        await AcknowledgeAsync(mailbox, new MailboxRange(1, 1));
        if (reopen)
        {
            await ReopenAsync();
        }

        var second = await AppendAsync(submission, Start + TimeSpan.FromHours(5));
        Assert.Equal((SendStatus.Accepted, Start), (second.Status, second.AcceptedAt));
        Assert.Equal(first.AcceptedAt, second.AcceptedAt);
        Assert.Empty(await ReadAsync(mailbox));
    }

    [Fact]
    public async Task A_repeat_in_the_same_batch_is_stored_once()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        var submission = Submit(alice, bob);
        AppendWrite[] writes = [new(submission, TimeSpan.FromDays(1)), new(submission, TimeSpan.FromDays(1))];
        await WriteAsync(Start, writes);
        Assert.All(writes, static write => Assert.Equal(SendStatus.Accepted, write.Result.Status));
        Assert.Single(await ReadAsync(mailbox));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_id_for_another_content_is_refused(bool reopen)
    {
        var (alice, bob, mailbox) = await TwoAsync();
        var first = Submit(alice, bob);
        await AppendAsync(first);
        if (reopen)
        {
            await ReopenAsync();
        }

        Assert.Equal(SendStatus.MessageIdReused, (await AppendAsync(Submit(alice, bob, id: first.Message))).Status);
        Assert.Single(await ReadAsync(mailbox));
    }

    [Fact]
    public async Task Message_ids_of_different_senders_have_nothing_to_do_with_each_other()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        var first = Submit(alice, bob);
        await AppendAsync(first);
        Assert.Equal(
            SendStatus.Accepted, (await AppendAsync(Submit(TestDevice.Of("mallory"), bob, id: first.Message))).Status);
        Assert.Equal(2, (await ReadAsync(mailbox)).Count);
    }

    [Fact]
    public async Task A_repeat_is_recognised_even_if_the_recipient_has_another_device_by_now()
    {
        var (alice, bob, _) = await TwoAsync();
        var submission = Submit(alice, bob);
        var first = await AppendAsync(submission);
        await OpenAsync(TestDevice.Of("bob", bob.Client));
        Assert.Equal(first, await AppendAsync(submission));
        Assert.Equal(
            SendStatus.MessageIdReused, (await AppendAsync(Submit(alice, bob, id: submission.Message))).Status);
    }

    [Fact]
    public async Task A_message_id_is_forgotten_after_the_window_and_not_before()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        var submission = Submit(alice, bob);
        await AppendAsync(submission);
        await WriteAsync(Start, new SweepWrite(Start, 100));
        Assert.Equal(Start, (await AppendAsync(submission, Start + TimeSpan.FromSeconds(1))).AcceptedAt);
        await WriteAsync(Start, new SweepWrite(Start + TimeSpan.FromMilliseconds(1), 100));
        await AppendAsync(submission, Start + TimeSpan.FromSeconds(2));
        Assert.Equal(2, (await ReadAsync(mailbox)).Count);
    }

    [Fact]
    public async Task An_unknown_recipient_is_told()
    {
        var alice = TestDevice.Of("alice");
        Assert.Equal(SendStatus.UnknownClient, (await AppendAsync(Submit(alice, TestDevice.Of("nobody")))).Status);
    }

    [Fact]
    public async Task Wrong_and_missing_devices_are_named_and_nothing_is_stored()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        var second = TestDevice.Of("bob", bob.Client);
        await OpenAsync(second);
        var stranger = DeviceId.New();
        var submission = new Submission(
            alice.Address, "alice", MessageId.New(), bob.Client, 0, [new(bob.Device, [1]), new(stranger, [2])]);
        var result = await AppendAsync(submission);
        Assert.Equal(SendStatus.DevicesMismatched, result.Status);
        Assert.Equal([stranger], result.Unknown);
        Assert.Equal([second.Device], result.Missing);
        Assert.Empty(await ReadAsync(mailbox));

        // The id was not used up.
        var repaired = new Submission(
            alice.Address, "alice", submission.Message, bob.Client, 0, [new(bob.Device, [1]), new(second.Device, [2])]);
        Assert.Equal(SendStatus.Accepted, (await AppendAsync(repaired)).Status);
    }

    [Fact]
    public async Task Whoever_writes_to_itself_need_not_write_to_the_sending_device()
    {
        var laptop = TestDevice.Of("alice");
        var phone = TestDevice.Of("alice", laptop.Client);
        var laptopBox = (await OpenAsync(laptop))!.Value;
        var phoneBox = (await OpenAsync(phone))!.Value;
        Assert.Equal(SendStatus.Accepted, (await AppendAsync(Submit(laptop, phone))).Status);
        Assert.Single(await ReadAsync(phoneBox));
        Assert.Empty(await ReadAsync(laptopBox));

        // But it may.
        var both = new Submission(
            laptop.Address, "alice", MessageId.New(), laptop.Client, 0, [new(laptop.Device, [1]), new(phone.Device, [2])]);
        Assert.Equal(SendStatus.Accepted, (await AppendAsync(both)).Status);
        Assert.Single(await ReadAsync(laptopBox));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_mailbox_that_is_full_in_count_takes_nothing_until_something_is_acknowledged(bool reopen)
    {
        Limits.MaxMessages = 3;
        var (alice, bob, mailbox) = await TwoAsync();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(SendStatus.Accepted, (await AppendAsync(Submit(alice, bob))).Status);
        }

        if (reopen)
        {
            await ReopenAsync();
        }

        var refused = Submit(alice, bob);
        Assert.Equal(SendStatus.QuotaExceeded, (await AppendAsync(refused)).Status);
        await AcknowledgeAsync(mailbox, new MailboxRange(2, 2));
        Assert.Equal(SendStatus.Accepted, (await AppendAsync(refused)).Status);
        AssertSequences(await ReadAsync(mailbox), 1, 3, 4);
    }

    [Fact]
    public async Task A_mailbox_that_is_full_in_bytes_takes_only_what_fits()
    {
        Limits.MaxBytes = 1000;
        var (alice, bob, mailbox) = await TwoAsync();
        Assert.Equal(SendStatus.Accepted, (await AppendAsync(Submit(alice, bob, new byte[900]))).Status);
        Assert.Equal(SendStatus.QuotaExceeded, (await AppendAsync(Submit(alice, bob, new byte[101]))).Status);
        Assert.Equal(SendStatus.Accepted, (await AppendAsync(Submit(alice, bob, new byte[100]))).Status);
        await AcknowledgeAsync(mailbox, new MailboxRange(1, 1));
        Assert.Equal(SendStatus.Accepted, (await AppendAsync(Submit(alice, bob, new byte[900]))).Status);
    }

    [Fact]
    public async Task A_message_of_which_one_envelope_does_not_fit_is_not_stored_at_all()
    {
        Limits.MaxMessages = 1;
        var (alice, bob, mailbox) = await TwoAsync();
        await AppendAsync(Submit(alice, bob));
        var second = TestDevice.Of("bob", bob.Client);
        var secondBox = (await OpenAsync(second))!.Value;
        var toBoth = new Submission(
            alice.Address, "alice", MessageId.New(), bob.Client, 0, [new(second.Device, [1]), new(bob.Device, [2])]);
        Assert.Equal(SendStatus.QuotaExceeded, (await AppendAsync(toBoth)).Status);
        Assert.Single(await ReadAsync(mailbox));
        Assert.Empty(await ReadAsync(secondBox));
    }

    [Fact]
    public async Task What_expired_is_not_read_any_more_and_is_swept_in_steps()
    {
        Limits.MaxMessages = 5;
        var (alice, bob, mailbox) = await TwoAsync();
        for (var i = 0; i < 4; i++)
        {
            await WriteAsync(Start, new AppendWrite(Submit(alice, bob), TimeSpan.FromSeconds(10)));
        }

        await AppendAsync(Submit(alice, bob));
        var later = Start + TimeSpan.FromSeconds(10);
        Assert.Equal(5, (await Store.ReadAsync(mailbox, 0, later - TimeSpan.FromMilliseconds(1), 100, 10_000)).Count);
        AssertSequences(await Store.ReadAsync(mailbox, 0, later, 100, 10_000), 5);

        SweepWrite[] steps = [new(Start, 3), new(Start, 3), new(Start, 3)];
        foreach (var step in steps)
        {
            await WriteAsync(later, step);
        }

        Assert.Equal([3, 1, 0], steps.Select(static step => step.Result));

        // The swept ones make room again, and their numbers stay used.
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(SendStatus.Accepted, (await AppendAsync(Submit(alice, bob), later)).Status);
        }

        Assert.Equal(SendStatus.QuotaExceeded, (await AppendAsync(Submit(alice, bob), later)).Status);
        AssertSequences(await ReadAsync(mailbox), 5, 6, 7, 8, 9);
    }

    [Fact]
    public async Task An_expired_message_is_not_the_newest_that_waits()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        await AppendAsync(Submit(alice, bob));
        await WriteAsync(Start, new AppendWrite(Submit(alice, bob), TimeSpan.FromSeconds(10)));
        Assert.Equal(2, await Store.ReadNewestAsync(mailbox, Start));
        Assert.Equal(1, await Store.ReadNewestAsync(mailbox, Start + TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task A_new_device_in_the_same_batch_as_messages_to_its_client_breaks_no_order()
    {
        var (alice, bob, mailbox) = await TwoAsync();
        var second = TestDevice.Of("bob", bob.Client);
        var toBoth = new Submission(
            alice.Address, "alice", MessageId.New(), bob.Client, 0, [new(bob.Device, [1]), new(second.Device, [2])]);
        var open = new OpenMailboxWrite(second.Address, "bob");
        var tooEarly = new AppendWrite(toBoth, TimeSpan.FromDays(1));
        var inTime = new AppendWrite(toBoth, TimeSpan.FromDays(1));
        await WriteAsync(Start, new AppendWrite(Submit(alice, bob), TimeSpan.FromDays(1)), tooEarly, open, inTime);
        Assert.Equal(SendStatus.DevicesMismatched, tooEarly.Result.Status);
        Assert.Equal(SendStatus.Accepted, inTime.Result.Status);
        AssertSequences(await ReadAsync(mailbox), 1, 2);
        AssertSequences(await ReadAsync(open.Result!.Value), 1);
    }

    [Fact]
    public async Task Mailboxes_are_listed_by_name_and_device_from_a_place_on()
    {
        var (alice, bob, _) = await TwoAsync();
        var second = TestDevice.Of("bob", bob.Client);
        await OpenAsync(second);
        var toBoth = new Submission(
            alice.Address, "alice", MessageId.New(), bob.Client, 0, [new(bob.Device, new byte[10]), new(second.Device, new byte[20])]);
        await AppendAsync(toBoth);
        await AppendAsync(new Submission(
            alice.Address, "alice", MessageId.New(), bob.Client, 0, [new(bob.Device, new byte[30]), new(second.Device, new byte[40])]), Start + TimeSpan.FromHours(1));

        var all = await Store.ReadQueuesAsync(null, 10);
        Assert.Equal(["alice", "bob", "bob"], all.Select(static queue => queue.ClientName));
        var state = all.Single(queue => queue.Device == bob.Address);
        Assert.Equal((2, 40, Start, 2), (state.Waiting, state.Bytes, state.OldestAcceptedAt, state.LastSequence));
        Assert.Equal((0, 0, null), (all[0].Waiting, all[0].Bytes, all[0].OldestAcceptedAt));

        var paged = new List<QueueState>();
        for (QueuePosition? after = null; ;)
        {
            var page = await Store.ReadQueuesAsync(after, 1);
            if (page.Count == 0)
            {
                break;
            }

            paged.Add(page[0]);
            after = new QueuePosition(page[0].ClientName, page[0].Device.Device);
        }

        Assert.Equal(all, paged);
    }

    private protected static Submission Submit(TestDevice sender, TestDevice recipient, byte[]? body = null, MessageId? id = null) =>
        new(sender.Address, sender.Name, id ?? MessageId.New(), recipient.Client, 0, [new(recipient.Device, body ?? RandomNumberGenerator.GetBytes(50))]);

    private protected async Task<SendResult> AppendAsync(Submission submission, DateTimeOffset? now = null)
    {
        var write = new AppendWrite(submission, TimeSpan.FromDays(30));
        await Store.WriteAsync([write], now ?? Start);
        return write.Result;
    }

    private protected async Task<long?> OpenAsync(TestDevice device)
    {
        var write = new OpenMailboxWrite(device.Address, device.Name);
        await Store.WriteAsync([write], Start);
        return write.Result;
    }

    private async Task<bool> CloseMailboxAsync(TestDevice device)
    {
        var write = new CloseMailboxWrite(device.Address);
        await Store.WriteAsync([write], Start);
        return write.Result;
    }

    private protected async Task<(TestDevice Alice, TestDevice Bob, long BobsMailbox)> TwoAsync()
    {
        var (alice, bob) = (TestDevice.Of("alice"), TestDevice.Of("bob"));
        await OpenAsync(alice);
        return (alice, bob, (await OpenAsync(bob))!.Value);
    }

    private protected ValueTask<IReadOnlyList<StoredEnvelope>> ReadAsync(long mailbox) =>
        Store.ReadAsync(mailbox, 0, Start, 1000, long.MaxValue);

    private static void AssertSequences(IReadOnlyList<StoredEnvelope> envelopes, params long[] expected) =>
        Assert.Equal(expected, envelopes.Select(static envelope => envelope.Sequence));

    private async Task<int> AcknowledgeAsync(long mailbox, params MailboxRange[] ranges)
    {
        var write = new AcknowledgeWrite(mailbox, ranges);
        await Store.WriteAsync([write], Start);
        return write.Result;
    }

    private ValueTask WriteAsync(DateTimeOffset now, params StoreWrite[] writes) => Store.WriteAsync(writes, now);

    private async Task ReopenAsync()
    {
        await CloseAsync();
        Store = await OpenAsync();
    }
}
