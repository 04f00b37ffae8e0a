using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Tests.Stores;

public abstract partial class MailboxStoreContract
{
    [Fact]
    public async Task Old_envelopes_are_discarded_up_to_a_number_in_steps_and_nothing_else_is()
    {
        var (alice, bob, carol) = (await OpenAsync(_alice), await OpenAsync(_bob), await OpenAsync(TestDevice.Of("carol")));
        await WriteAsync([.. new[] { alice, bob, carol }.SelectMany(mailbox => Enumerable.Range(1, 6).Select(number =>
            new TestAppend(mailbox.Id, Envelope(number, new byte[number]) with { AcceptedAt = Start.AddSeconds(number == 2 ? 10 : number) }, Start.AddDays(1))))]);

        // Number 2 is younger than those around it, 6 was accepted just then.
        var first = await DiscardAsync(bob, 5, Start.AddSeconds(5), 2);
        Assert.Equal((new Deleted(2, 1 + 3), true), (first.Result, first.HasMore));
        var second = await DiscardAsync(bob, 5, Start.AddSeconds(5), 2);
        Assert.Equal((new Deleted(1, 4), false), (second.Result, second.HasMore));
        Assert.Equal(default, (await DiscardAsync(bob, 5, Start.AddSeconds(5), 2)).Result);
        AssertSequences(await ReadAsync(bob), 2, 5, 6);

        Assert.Equal(new Deleted(2, 2 + 5), (await DiscardAsync(bob, 5, DateTimeOffset.MaxValue, 100)).Result);
        AssertSequences(await ReadAsync(bob), 6);
        await ReopenAsync();
        AssertSequences(await ReadAsync(bob), 6);
        AssertSequences(await ReadAsync(alice), 1, 2, 3, 4, 5, 6);
        AssertSequences(await ReadAsync(carol), 1, 2, 3, 4, 5, 6);
    }

    [Fact]
    public async Task A_measure_comes_in_steps_by_mailbox_and_has_what_was_written_before_it()
    {
        var (alice, bob, carol) = (await OpenAsync(_alice), await OpenAsync(_bob), await OpenAsync(TestDevice.Of("carol")));
        var all = new MeasureWrite(0, 1000);
        await WriteAsync(
            Append(alice, 1, new byte[5]), Append(alice, 2, new byte[6]), Append(carol, 9, new byte[7]), all, Append(bob, 1, new byte[1]));
        MeasuredMailbox[] expected = [new(alice.Id, 2, 11), new(carol.Id, 1, 7)];
        Assert.Equal(expected, all.Result);
        Assert.False(all.HasMore);

        var (first, second) = (new MeasureWrite(0, 1), new MeasureWrite(alice.Id, 2));
        await WriteAsync(first, second);
        Assert.Equal([new MeasuredMailbox(alice.Id, 2, 11)], first.Result);
        Assert.True(first.HasMore);
        Assert.Equal([new MeasuredMailbox(bob.Id, 1, 1), new MeasuredMailbox(carol.Id, 1, 7)], second.Result);

        var last = new MeasureWrite(carol.Id, 2);
        await WriteAsync(last);
        Assert.Empty(last.Result);
        Assert.False(last.HasMore);

        // Beside the writes it is the same.
        var (measured, hasMore) = await Store.MeasureAsync(alice.Id, 2);
        Assert.Equal(second.Result, measured);
        Assert.Equal(second.HasMore, hasMore);
    }

    [Fact]
    public async Task A_mailbox_that_is_closed_tells_its_number()
    {
        var bob = await OpenAsync(_bob);
        var (close, again) = (new CloseMailboxWrite(_bob.Address), new CloseMailboxWrite(_bob.Address));
        await WriteAsync(close, again);
        Assert.Equal((bob.Id, 0L), (close.Mailbox, again.Mailbox));
    }

    [Fact]
    public async Task Mailboxes_are_found_by_number_client_name_and_device()
    {
        var phone = TestDevice.Of("bob", _bob.Client);
        var (alice, bob, phones) = (await OpenAsync(_alice), await OpenAsync(_bob), await OpenAsync(phone));
        await WriteAsync(Append(bob, 3, new byte[10]));

        var found = Assert.Single(await Store.FindQueuesAsync(new QueueFilter(bob.Id)));
        Assert.Equal(new QueueState(bob.Id, "bob", _bob.Address, 1, 10, Start, 3, 3, Start), found);
        Assert.Equal(found, Assert.Single(await Store.FindQueuesAsync(new QueueFilter(Device: _bob.Device))));
        long[] both = [bob.Id, phones.Id];
        Assert.Equal(both, (await Store.FindQueuesAsync(new QueueFilter(Client: _bob.Client))).Select(static row => row.Mailbox).Order());
        Assert.Equal(both, (await Store.FindQueuesAsync(new QueueFilter(ClientName: "bob"))).Select(static row => row.Mailbox).Order());
        Assert.Equal([alice.Id], (await Store.FindQueuesAsync(new QueueFilter(ClientName: "alice"))).Select(static row => row.Mailbox));
        Assert.Empty(await Store.FindQueuesAsync(new QueueFilter(ClientName: "Bob")));
        Assert.Empty(await Store.FindQueuesAsync(new QueueFilter(Device: new DeviceId(Guid.NewGuid()))));
        Assert.Equal(3, await Store.CountMailboxesAsync());
    }

    [Fact]
    public async Task The_first_of_each_mailbox_tells_since_when_it_waits()
    {
        var (alice, bob) = (await OpenAsync(_alice), await OpenAsync(_bob));
        await OpenAsync(TestDevice.Of("carol"));
        Assert.Empty(await Store.ReadOldestAsync());
        await WriteAsync(
            new TestAppend(bob.Id, Envelope(4) with { AcceptedAt = Start.AddSeconds(4) }, Start.AddDays(1)),
            new TestAppend(bob.Id, Envelope(5) with { AcceptedAt = Start.AddSeconds(5) }, Start.AddDays(1)),
            Append(alice, 1));
        (long, DateTimeOffset)[] expected = [(alice.Id, Start), (bob.Id, Start.AddSeconds(4))];
        Assert.Equal(expected, await Store.ReadOldestAsync());
    }

    [Fact]
    public async Task Prekey_stocks_are_listed_with_the_time_of_the_last_upload()
    {
        var (_, bob) = (await OpenAsync(_alice), await OpenAsync(_bob));
        await Store.WriteAsync(
            [new UploadPrekeysWrite(bob.Id, [1], 0, [new OneTimePrekey(OneTimePrekeyKind.X25519, 7, new byte[32])])], Start.AddMinutes(1));

        var all = await Store.ReadPrekeyStocksAsync(null, 10);
        Assert.Equal(["alice", "bob"], all.Select(static row => row.ClientName));
        Assert.Equal((false, null, 0), (all[0].HasBundle, all[0].UploadedAt, all[0].Stock.X25519.Left));
        Assert.Equal((true, Start.AddMinutes(1), 1), (all[1].HasBundle, all[1].UploadedAt, all[1].Stock.X25519.Left));
        Assert.Equal(all[1], Assert.Single(await Store.ReadPrekeyStocksAsync(new QueuePosition("alice", _alice.Device), 10)));
        Assert.Equal(all[1], Assert.Single(await Store.FindPrekeyStocksAsync(new QueueFilter(Device: _bob.Device))));
    }

    private async Task<DiscardWrite> DiscardAsync(MailboxState mailbox, long through, DateTimeOffset acceptedBefore, int limit)
    {
        var write = new DiscardWrite(Of(mailbox), through, acceptedBefore, limit);
        await WriteAsync(write);
        return write;
    }
}
