using System.Security.Cryptography;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Stores;

/// <summary>What every mailbox store must do; a second implementation derives from this too.</summary>
public abstract partial class MailboxStoreContract : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000);

    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private PushGrace _grace = null!;
    private CommitQueue _queue = null!;
    private MailboxDirectory _mailboxes = null!;

    private protected IMailboxStore Store { get; private set; } = null!;

    /// <summary>Opens a store on the same data, whether or not the one before was closed.</summary>
    private protected abstract Task<IMailboxStore> OpenAsync();

    private protected abstract ValueTask CloseAsync();

    /// <summary>Lets every transaction fail that appends something, or no longer.</summary>
    private protected abstract void SetFailing(bool fails);

    public async ValueTask InitializeAsync()
    {
        Store = await OpenAsync();

        // Writes name the mailbox of the domain; nothing here is ever started.
        var (time, bus) = (new FakeTimeProvider(), new InProcessWakeBus());
        _grace = new PushGrace(Options.Create(new MailboxOptions()), time);
        _queue = new CommitQueue(Store, time, NullLogger<CommitQueue>.Instance);
        _mailboxes = new MailboxDirectory(Store, _queue, _grace, bus, time);
    }

    public async ValueTask DisposeAsync()
    {
        _grace.Dispose();
        await CloseAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Opening_a_mailbox_again_gives_the_same_one_and_remembers_the_new_name()
    {
        var first = await OpenAsync(_bob);
        Assert.Equal(new MailboxState(first.Id, _bob.Address, 0, 0, 0), first);
        Assert.Equal(first, await OpenAsync(_bob with { Name = "robert" }));
        await ReopenAsync();
        Assert.Equal(first, await OpenAsync(_bob with { Name = "robert" }));
        var queue = Assert.Single(await Store.ReadQueuesAsync(null, 10));
        Assert.Equal(("robert", _bob.Address), (queue.ClientName, queue.Device));
    }

    [Fact]
    public async Task A_mailbox_that_is_opened_again_tells_what_waits_in_it_and_how_far_its_numbers_are_reserved()
    {
        var id = await OpenAsync(_bob);
        await WriteAsync(Reserve(id, 70), Append(id, 3, new byte[10]), Append(id, 7, new byte[20]));
        var expected = new MailboxState(id.Id, _bob.Address, 70, 2, 30);
        Assert.Equal(expected, await OpenAsync(_bob));
        await ReopenAsync();
        Assert.Equal(expected, await OpenAsync(_bob));
    }

    [Fact]
    public async Task A_client_gets_no_more_mailboxes_than_one_message_can_reach()
    {
        for (var i = 1; i < ProtocolLimits.DevicesPerClient; i++)
        {
            await OpenAsync(TestDevice.Of("bob", _bob.Client));
        }

        await OpenAsync(_bob);
        var tooMany = new OpenMailboxWrite(TestDevice.Of("bob", _bob.Client).Address, "bob");
        await WriteAsync(tooMany);
        Assert.Null(tooMany.Result);

        // Those that are there are found as before, and one that is closed makes room.
        await OpenAsync(_bob);
        await WriteAsync(new CloseMailboxWrite(_bob.Address));
        await WriteAsync(tooMany);
        Assert.NotNull(tooMany.Result);
    }

    [Fact]
    public async Task A_clients_mailboxes_are_found_with_what_waits_in_each()
    {
        var phone = TestDevice.Of("bob", _bob.Client);
        var (alices, bobs, phones) = (await OpenAsync(_alice), await OpenAsync(_bob), await OpenAsync(phone));
        await WriteAsync(Append(alices, 1), Append(bobs, 5, new byte[10]), Append(bobs, 6, new byte[15]), Reserve(phones, 9));
        MailboxState[] expected = [new(bobs.Id, _bob.Address, 0, 2, 25), new(phones.Id, phone.Address, 9, 0, 0)];
        Assert.Equal(expected, (await Store.FindAsync(_bob.Client)).OrderBy(static mailbox => mailbox.Id));
        await ReopenAsync();
        Assert.Equal(expected, (await Store.FindAsync(_bob.Client)).OrderBy(static mailbox => mailbox.Id));
        Assert.Empty(await Store.FindAsync(ClientId.New()));
    }

    [Fact]
    public async Task A_closed_mailbox_is_gone_with_all_that_was_in_it_and_its_number_is_not_given_again()
    {
        var (alice, bob) = (await OpenAsync(_alice), await OpenAsync(_bob));
        await WriteAsync(Append(alice, 1), Append(bob, 1), Remember(bob, 1, Sent()));

        var (first, second) = (new CloseMailboxWrite(_bob.Address), new CloseMailboxWrite(_bob.Address));
        await WriteAsync(first, second);
        Assert.True(first.Result);
        Assert.False(second.Result);

        await ReopenAsync();
        Assert.Empty(await ReadAsync(bob));
        AssertSent(await Store.ReadSentAsync(bob.Id), 0);
        Assert.Single(await ReadAsync(alice));
        Assert.Empty(await Store.FindAsync(_bob.Client));
        Assert.DoesNotContain(await Store.ReadQueuesAsync(null, 10), queue => queue.Device == _bob.Address);
        var again = await OpenAsync(_bob);
        Assert.True(again.Id > bob.Id);
        Assert.Equal((0L, 0, 0L), (again.ReservedThrough, again.Count, again.Bytes));
    }

    [Fact]
    public async Task Envelopes_are_read_in_the_order_of_their_numbers_with_all_that_was_given()
    {
        var bob = await OpenAsync(_bob);
        long[] numbers = [1, 2, 3, 70_000, 1L << 39];
        var envelopes = numbers.Select(number => Envelope(number, RandomNumberGenerator.GetBytes(100))).ToArray();
        await WriteAsync([.. envelopes.Select(envelope => new TestAppend(bob.Id, envelope, Start.AddDays(1)))]);

        await AssertReadAsync();
        await ReopenAsync();
        await AssertReadAsync();

        async Task AssertReadAsync()
        {
            var read = await ReadAsync(bob);
            Assert.Equal(envelopes.Select(static envelope => envelope with { Body = [] }), read.Select(static envelope => envelope with { Body = [] }));
            Assert.Equal(envelopes.Select(static envelope => envelope.Body), read.Select(static envelope => envelope.Body));
        }
    }

    [Fact]
    public async Task Reading_starts_after_a_position_and_stops_at_the_count_or_the_bytes()
    {
        var bob = await OpenAsync(_bob);
        await WriteAsync([.. Enumerable.Range(1, 5).Select(number => Append(bob, number, new byte[100]))]);

        AssertSequences(await Store.ReadAsync(bob.Id, 2, Start, 100, 10_000), 3, 4, 5);
        AssertSequences(await Store.ReadAsync(bob.Id, 2, Start, 2, 10_000), 3, 4);
        AssertSequences(await Store.ReadAsync(bob.Id, 0, Start, 100, 150), 1, 2);
        AssertSequences(await Store.ReadAsync(bob.Id, 0, Start, 100, 1), 1);
        Assert.Empty(await Store.ReadAsync(bob.Id, 5, Start, 100, 10_000));
    }

    [Fact]
    public async Task Neighbouring_mailboxes_are_not_touched_by_reading_deleting_or_closing()
    {
        var first = await OpenAsync(_alice);
        var middle = await OpenAsync(_bob);
        var last = await OpenAsync(TestDevice.Of("carol"));
        await WriteAsync([.. new[] { first, middle, last }.SelectMany(mailbox => new[] { Append(mailbox, 1), Append(mailbox, 2) })]);

        Assert.Equal(2, (await ReadAsync(middle)).Count);
        Assert.Equal(2, await Store.ReadNewestAsync(first.Id, Start));
        Assert.Equal(2, (await AcknowledgeAsync(middle, new MailboxRange(0, long.MaxValue))).Count);
        AssertSequences(await ReadAsync(first), 1, 2);
        AssertSequences(await ReadAsync(last), 1, 2);
        await WriteAsync(new CloseMailboxWrite(_bob.Address));
        AssertSequences(await ReadAsync(first), 1, 2);
        AssertSequences(await ReadAsync(last), 1, 2);
    }

    [Fact]
    public async Task What_was_committed_is_there_for_a_store_that_opens_while_the_old_one_never_closed()
    {
        var bob = await OpenAsync(_bob);
        await WriteAsync(Reserve(bob, 50), Append(bob, 1), Remember(bob, 1, Sent()));

        // As after kill -9: nothing was closed, no buffer was flushed on the way out.
        Store = await OpenAsync();
        AssertSequences(await ReadAsync(bob), 1);
        Assert.Equal(50, Assert.Single(await Store.FindAsync(_bob.Client)).ReservedThrough);
        AssertSent(await Store.ReadSentAsync(bob.Id), 1, Sent());
        await WriteAsync(Append(bob, 51));
        AssertSequences(await ReadAsync(bob), 1, 51);
    }

    [Fact]
    public async Task Acknowledged_ranges_are_gone_and_counted_and_numbers_that_are_not_there_do_no_harm()
    {
        var bob = await OpenAsync(_bob);
        await WriteAsync([.. Enumerable.Range(1, 10).Select(number => Append(bob, number, new byte[number]))]);

        Assert.Equal(
            new Deleted(5, 2 + 3 + 5 + 9 + 10),
            await AcknowledgeAsync(bob, new MailboxRange(2, 3), new MailboxRange(5, 5), new MailboxRange(9, long.MaxValue)));
        AssertSequences(await ReadAsync(bob), 1, 4, 6, 7, 8);
        Assert.Equal(default, await AcknowledgeAsync(bob, new MailboxRange(2, 3), new MailboxRange(5, 5), new MailboxRange(100, 200)));
        Assert.Equal(default, await AcknowledgeAsync(bob));
        Assert.Equal(8, await Store.ReadNewestAsync(bob.Id, Start));
        await ReopenAsync();
        AssertSequences(await ReadAsync(bob), 1, 4, 6, 7, 8);
    }

    [Fact]
    public async Task Ranges_that_overlap_count_each_envelope_once()
    {
        var bob = await OpenAsync(_bob);
        await WriteAsync(Append(bob, 1, new byte[10]), Append(bob, 2, new byte[10]), Append(bob, 3, new byte[10]));
        Assert.Equal(new Deleted(3, 30), await AcknowledgeAsync(bob, new MailboxRange(1, 2), new MailboxRange(2, 3), new MailboxRange(1, 3)));
    }

    [Fact]
    public async Task An_envelope_that_is_appended_and_acknowledged_in_one_batch_is_gone_and_counted()
    {
        var bob = await OpenAsync(_bob);
        var acknowledge = new AcknowledgeWrite(Of(bob), [new MailboxRange(1, 1)]);
        await WriteAsync(Append(bob, 1, new byte[7]), acknowledge);
        Assert.Equal(new Deleted(1, 7), acknowledge.Result);
        Assert.Empty(await ReadAsync(bob));
    }

    [Fact]
    public async Task A_reservation_survives_and_never_shrinks()
    {
        var (alice, bob) = (await OpenAsync(_alice), await OpenAsync(_bob));
        await WriteAsync(Reserve(bob, 1000));
        await WriteAsync(Reserve(bob, 500));
        Assert.Equal(1000, (await OpenAsync(_bob)).ReservedThrough);
        await ReopenAsync();
        Assert.Equal(1000, Assert.Single(await Store.FindAsync(_bob.Client)).ReservedThrough);
        await WriteAsync(Reserve(bob, 2000), Reserve(bob, 1500));
        Assert.Equal(2000, Assert.Single(await Store.FindAsync(_bob.Client)).ReservedThrough);
        Assert.Equal(0, (await OpenAsync(_alice)).ReservedThrough);
        Assert.Equal(alice.Id, (await OpenAsync(_alice)).Id);
    }

    [Fact]
    public async Task Remembered_ids_are_read_in_order_with_the_number_of_the_newest_row()
    {
        var (alice, bob) = (await OpenAsync(_alice), await OpenAsync(_bob));
        AssertSent(await Store.ReadSentAsync(alice.Id), 0);
        SentId[] ids = [.. Enumerable.Range(0, 5).Select(i => Sent(i))];
        await WriteAsync(Remember(alice, 1, ids[0], ids[1]), Remember(bob, 1, Sent(77)), Remember(alice, 2, ids[2]));
        await WriteAsync(Remember(alice, 3, ids[3], ids[4]));
        AssertSent(await Store.ReadSentAsync(alice.Id), 3, ids);
        await ReopenAsync();
        AssertSent(await Store.ReadSentAsync(alice.Id), 3, ids);
    }

    [Fact]
    public async Task Rows_of_ids_that_nobody_asks_for_any_more_go_and_never_one_of_the_last_ones()
    {
        var (alice, bob) = (await OpenAsync(_alice), await OpenAsync(_bob));
        await WriteAsync(Remember(bob, 1, Sent(9999)));
        SentId[] ids = [.. Enumerable.Range(0, SenderHistory.Remembered + 20).Select(i => Sent(i))];
        for (var i = 0; i < ids.Length; i++)
        {
            await WriteAsync(Remember(alice, i + 1, ids[i]));
        }

        await ReopenAsync();
        var (lastNumber, read) = await Store.ReadSentAsync(alice.Id);
        Assert.Equal(ids.Length, lastNumber);
        Assert.Equal(ids[^SenderHistory.Remembered..], read.TakeLast(SenderHistory.Remembered));
        AssertSent(await Store.ReadSentAsync(bob.Id), 1, Sent(9999));

        // Of rows with more than one id so many are read that the last ones are among them.
        for (var i = 0; i < 3; i++)
        {
            await WriteAsync(Remember(bob, i + 2, [.. ids.AsSpan(i * 341, 341)]));
        }

        (lastNumber, read) = await Store.ReadSentAsync(bob.Id);
        Assert.Equal(4, lastNumber);
        Assert.Equal(ids[..1023], read.TakeLast(1023));
        Assert.Equal(1024, read.Count);
    }

    [Fact]
    public async Task What_expired_is_not_read_any_more_and_is_swept_in_steps_that_tell_the_sums()
    {
        var (alice, bob) = (await OpenAsync(_alice), await OpenAsync(_bob));
        var soon = Start.AddSeconds(10);
        await WriteAsync(
            Append(bob, 1, new byte[1], soon),
            Append(bob, 2, new byte[2], soon),
            Append(bob, 3, new byte[4], soon),
            Append(bob, 4, new byte[8]),
            Append(alice, 1, new byte[16], soon));
        Assert.Equal(4, (await Store.ReadAsync(bob.Id, 0, soon.AddMilliseconds(-1), 100, 10_000)).Count);
        AssertSequences(await Store.ReadAsync(bob.Id, 0, soon, 100, 10_000), 4);

        var swept = new List<SweptEnvelopes>();
        SweepWrite step;
        var steps = 0;
        do
        {
            step = new SweepWrite(_mailboxes, Start, 3);
            await Store.WriteAsync([step], soon);
            Assert.InRange(step.Result.Sum(static sum => sum.Count), 0, 3);
            swept.AddRange(step.Result);
            steps++;
        }
        while (step.HasMore);

        Assert.Equal(2, steps);
        Assert.Equal((3, 7L), (swept.Where(sum => sum.Mailbox == bob.Id).Sum(static sum => sum.Count), swept.Where(sum => sum.Mailbox == bob.Id).Sum(static sum => sum.Bytes)));
        Assert.Equal((1, 16L), (swept.Where(sum => sum.Mailbox == alice.Id).Sum(static sum => sum.Count), swept.Where(sum => sum.Mailbox == alice.Id).Sum(static sum => sum.Bytes)));
        AssertSequences(await ReadAsync(bob), 4);
        Assert.Empty(await ReadAsync(alice));
    }

    [Fact]
    public async Task Ids_are_swept_when_the_newest_of_their_row_is_too_old_and_not_before()
    {
        var alice = await OpenAsync(_alice);
        await WriteAsync(Remember(alice, 1, Sent(0)), Remember(alice, 2, Sent(1), Sent(5)), Remember(alice, 3, Sent(9)));
        var sweep = new SweepWrite(_mailboxes, Sent(5).AcceptedAt, 100);
        await WriteAsync(sweep);
        Assert.False(sweep.HasMore);
        AssertSent(await Store.ReadSentAsync(alice.Id), 3, Sent(1), Sent(5), Sent(9));
        sweep = new SweepWrite(_mailboxes, Sent(5).AcceptedAt.AddMilliseconds(1), 1);
        await WriteAsync(sweep);
        Assert.True(sweep.HasMore);
        AssertSent(await Store.ReadSentAsync(alice.Id), 3, Sent(9));
    }

    [Fact]
    public async Task The_newest_is_the_highest_number_that_has_not_expired()
    {
        var bob = await OpenAsync(_bob);
        Assert.Equal(0, await Store.ReadNewestAsync(bob.Id, Start));
        await WriteAsync(Append(bob, 5), Append(bob, 8, expiresAt: Start.AddSeconds(10)));
        Assert.Equal(8, await Store.ReadNewestAsync(bob.Id, Start));
        Assert.Equal(5, await Store.ReadNewestAsync(bob.Id, Start.AddSeconds(10)));
    }

    [Fact]
    public async Task Mailboxes_are_listed_by_name_and_device_from_a_place_on()
    {
        var (alice, bob) = (await OpenAsync(_alice), await OpenAsync(_bob));
        await OpenAsync(TestDevice.Of("bob", _bob.Client));
        await WriteAsync(
            new TestAppend(bob.Id, Envelope(2, new byte[10]), Start.AddDays(1)),
            new TestAppend(bob.Id, Envelope(9, new byte[30]) with { AcceptedAt = Start.AddHours(1) }, Start.AddDays(1)));

        var all = await Store.ReadQueuesAsync(null, 10);
        Assert.Equal(["alice", "bob", "bob"], all.Select(static queue => queue.ClientName));
        Assert.Equal(new QueueState(alice.Id, "alice", _alice.Address, 0, 0, null, null, null, Start), all[0]);
        Assert.Equal(new QueueState(bob.Id, "bob", _bob.Address, 2, 40, Start, 2, 9, Start), all.Single(queue => queue.Device == _bob.Address));
        Assert.NotEqual(alice.Id, bob.Id);

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

    [Fact]
    public async Task The_size_grows_with_what_is_stored_and_shrinks_when_it_is_deleted()
    {
        var bob = await OpenAsync(_bob);
        var before = await Store.ReadSizeAsync();
        await WriteAsync([.. Enumerable.Range(1, 20).Select(number => Append(bob, number, new byte[50_000]))]);
        var full = await Store.ReadSizeAsync();
        Assert.InRange(full - before, 1_000_000, 3_000_000);
        await AcknowledgeAsync(bob, new MailboxRange(1, 20));
        Assert.InRange(await Store.ReadSizeAsync(), 0, full - 900_000);
    }

    [Fact]
    public async Task A_batch_that_fails_leaves_nothing_behind_and_the_next_one_finds_the_truth()
    {
        var bob = await OpenAsync(_bob);
        await WriteAsync(Reserve(bob, 5), Append(bob, 1));
        SetFailing(true);
        await Assert.ThrowsAnyAsync<Exception>(() => WriteAsync(
            new AcknowledgeWrite(Of(bob), [new MailboxRange(1, 1)]),
            Reserve(bob, 100),
            Remember(bob, 1, Sent()),
            new UploadPrekeysWrite(bob.Id, [1], 0, []),
            new OpenMailboxWrite(_alice.Address, "alice"),
            Append(bob, 2)));
        SetFailing(false);

        AssertSequences(await ReadAsync(bob), 1);
        Assert.Equal(5, Assert.Single(await Store.FindAsync(_bob.Client)).ReservedThrough);
        AssertSent(await Store.ReadSentAsync(bob.Id), 0);
        Assert.Empty((await TakeAsync(_alice, _bob.Client, _bob.Device))!);
        Assert.Empty(await Store.FindAsync(_alice.Client));
        await WriteAsync(Append(bob, 2));
        AssertSequences(await ReadAsync(bob), 1, 2);
    }

    [Fact]
    public async Task A_number_that_is_taken_is_not_taken_again_and_nothing_of_the_batch_is_carried_out()
    {
        var bob = await OpenAsync(_bob);
        await WriteAsync(Append(bob, 1, [1]));
        await Assert.ThrowsAnyAsync<Exception>(() => WriteAsync(Append(bob, 2, [2]), Append(bob, 1, [3])));
        Assert.Equal([1], Assert.Single(await ReadAsync(bob)).Body);
    }

    private protected Task WriteAsync(params StoreWrite[] writes) => Store.WriteAsync(writes, Start).AsTask();

    private static SentId Sent(int number = 0)
    {
        var id = new byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(id, number + 1);
        return new SentId(new MessageId(new Guid(id, bigEndian: true)), ulong.MaxValue - (ulong)number, Start.AddMilliseconds(number));
    }

    private static RememberWrite Remember(MailboxState mailbox, long number, params SentId[] ids)
    {
        var write = new RememberWrite(mailbox.Id, number);
        write.Ids.AddRange(ids);
        return write;
    }

    private static void AssertSent((long LastNumber, IReadOnlyList<SentId> Ids) read, long lastNumber, params SentId[] ids)
    {
        Assert.Equal(lastNumber, read.LastNumber);
        Assert.Equal(ids, read.Ids);
    }

    private static void AssertSequences(IReadOnlyList<StoredEnvelope> envelopes, params long[] expected) =>
        Assert.Equal(expected, envelopes.Select(static envelope => envelope.Sequence));

    private StoredEnvelope Envelope(long sequence, byte[]? body = null) =>
        new(sequence, MessageId.New(), _alice.Address, _alice.Name, Start, body ?? [1, 2, 3]);

    private TestAppend Append(MailboxState mailbox, long sequence, byte[]? body = null, DateTimeOffset? expiresAt = null) =>
        new(mailbox.Id, Envelope(sequence, body), expiresAt ?? Start.AddDays(30));

    private ReserveWrite Reserve(MailboxState mailbox, long through) => new(Of(mailbox), through);

    private Mailbox Of(MailboxState mailbox) => new(mailbox, _queue, _grace, new InProcessWakeBus());

    private ValueTask<IReadOnlyList<StoredEnvelope>> ReadAsync(MailboxState mailbox) =>
        Store.ReadAsync(mailbox.Id, 0, Start, 1000, long.MaxValue);

    private async Task<MailboxState> OpenAsync(TestDevice device)
    {
        var write = new OpenMailboxWrite(device.Address, device.Name);
        await WriteAsync(write);
        return write.Result!;
    }

    private async Task<Deleted> AcknowledgeAsync(MailboxState mailbox, params MailboxRange[] ranges)
    {
        var write = new AcknowledgeWrite(Of(mailbox), ranges);
        await WriteAsync(write);
        return write.Result;
    }

    private async Task ReopenAsync()
    {
        await CloseAsync();
        Store = await OpenAsync();
    }
}
