using CsCheck;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Tests.Stores;

public abstract partial class MailboxStoreContract
{
    [Fact]
    public async Task Prekeys_are_given_for_those_asked_devices_that_published_them_and_not_to_themselves()
    {
        var (alice, bob, mailbox) = (_alice, _bob, (await OpenAsync(_bob)).Id);
        var second = TestDevice.Of("bob", bob.Client);
        await OpenAsync(second);
        Assert.Null(await TakeAsync(alice, ClientId.New(), bob.Device));
        Assert.Empty((await TakeAsync(alice, bob.Client, bob.Device, second.Device))!);

        await UploadAsync(mailbox, [1, 2, 3]);
        await UploadAsync(mailbox, [4, 5, 6]);
        await UploadAsync(mailbox, []);
        await ReopenAsync();
        var found = Assert.Single((await TakeAsync(alice, bob.Client, second.Device, bob.Device, alice.Device))!);
        Assert.Equal(bob.Device, found.Device);
        Assert.Equal([4, 5, 6], found.Bundle);
        Assert.Empty((await TakeAsync(alice, bob.Client, second.Device))!);
        Assert.Single((await TakeAsync(second, bob.Client, bob.Device, second.Device))!);
        Assert.Empty((await TakeAsync(bob, bob.Client, bob.Device, second.Device))!);
    }

    [Fact]
    public async Task One_time_prekeys_are_given_once_oldest_first_one_of_each_kind()
    {
        var (alice, bob, mailbox) = (_alice, _bob, (await OpenAsync(_bob)).Id);
        OneTimePrekey[] keys = [TestPrekey.X25519(3), TestPrekey.MlKem768(1), TestPrekey.X25519(5), TestPrekey.MlKem768(8), TestPrekey.X25519(6)];
        var uploaded = await UploadAsync(mailbox, [1], keys: keys);
        Assert.Equal(PrekeyUploadStatus.Stored, uploaded.Status);
        Assert.Equal(Stock((3, 6, 0), (2, 8, 0)), uploaded.Stock);
        Assert.Equal(uploaded.Stock, await Store.ReadPrekeyStockAsync(mailbox));
        await UploadAsync(mailbox, [], keys: TestPrekey.X25519(7));

        var first = await TakeOneAsync(alice, bob);
        AssertKeys(first, keys[0], keys[1]);
        Assert.Equal(Stock((3, 7, 0), (1, 8, 0)), first.Stock);
        AssertKeys(await TakeOneAsync(alice, bob), keys[2], keys[3]);
        var third = await TakeOneAsync(alice, bob);
        AssertKeys(third, keys[4]);
        Assert.Equal(Stock((1, 7, 0), (0, 8, 1)), third.Stock);
        Assert.Equal(7u, Assert.Single((await TakeOneAsync(alice, bob)).OneTimePrekeys).Id);
        Assert.Empty((await TakeOneAsync(alice, bob)).OneTimePrekeys);
        Assert.Equal(Stock((0, 7, 1), (0, 8, 3)), await Store.ReadPrekeyStockAsync(mailbox));
    }

    [Fact]
    public async Task A_device_that_is_asked_for_twice_gives_one_key_and_others_none()
    {
        var (alice, bob, mailbox) = (_alice, _bob, (await OpenAsync(_bob)).Id);
        var second = TestDevice.Of("bob", bob.Client);
        var other = (await OpenAsync(second)).Id;
        await UploadAsync(mailbox, [1], keys: [TestPrekey.X25519(1), TestPrekey.X25519(2)]);
        await UploadAsync(other, [1], keys: [TestPrekey.X25519(1), TestPrekey.X25519(2)]);

        Assert.Single((await TakeAsync(alice, bob.Client, bob.Device, bob.Device, bob.Device))!);
        Assert.Equal(1, (await Store.ReadPrekeyStockAsync(mailbox)).X25519.Left);
        Assert.Equal(Stock((2, 2, 0), (0, 0, 0)), await Store.ReadPrekeyStockAsync(other));
        Assert.Equal(2, (await TakeAsync(alice, bob.Client, bob.Device, second.Device))!.Count);
    }

    [Fact]
    public async Task A_device_without_a_bundle_gives_no_one_time_prekey_away()
    {
        var (alice, bob, mailbox) = (_alice, _bob, (await OpenAsync(_bob)).Id);
        await UploadAsync(mailbox, [], keys: TestPrekey.X25519(1));
        Assert.Empty((await TakeAsync(alice, bob.Client, bob.Device))!);
        Assert.Equal(Stock((1, 1, 0), (0, 0, 0)), await Store.ReadPrekeyStockAsync(mailbox));
    }

    [Fact]
    public async Task Fetches_in_one_transaction_get_different_keys()
    {
        var (alice, bob, mailbox) = (_alice, _bob, (await OpenAsync(_bob)).Id);
        await UploadAsync(mailbox, [1], keys: [.. Enumerable.Range(1, 10).Select(static id => TestPrekey.X25519((uint)id))]);
        TakePrekeysWrite[] takes = [.. Enumerable.Range(0, 12).Select(_ => new TakePrekeysWrite(alice.Address, bob.Client, [bob.Device]))];
        await WriteAsync([.. takes]);
        Assert.Equal(
            Enumerable.Range(1, 10).Select(static id => (uint)id),
            takes.SelectMany(static take => take.Result![0].OneTimePrekeys).Select(static key => key.Id));
        Assert.Equal(Stock((0, 10, 2), (0, 0, 12)), await Store.ReadPrekeyStockAsync(mailbox));
    }

    [Fact]
    public async Task What_was_given_is_not_given_again_by_a_store_that_opens_while_the_old_one_never_closed()
    {
        var (alice, bob, mailbox) = (_alice, _bob, (await OpenAsync(_bob)).Id);
        await UploadAsync(mailbox, [1], keys: [TestPrekey.MlKem768(1), TestPrekey.MlKem768(2)]);
        Assert.Equal(1u, Assert.Single((await TakeOneAsync(alice, bob)).OneTimePrekeys).Id);

        // As after kill -9: nothing was closed, no buffer was flushed on the way out.
        Store = await OpenAsync();
        Assert.Equal(2u, Assert.Single((await TakeOneAsync(alice, bob)).OneTimePrekeys).Id);
        Store = await OpenAsync();
        Assert.Empty((await TakeOneAsync(alice, bob)).OneTimePrekeys);
        Assert.Equal(Stock((0, 0, 3), (0, 2, 1)), await Store.ReadPrekeyStockAsync(mailbox));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(5u)]
    public async Task A_repeated_upload_brings_no_key_back_and_drops_none_of_its_own(uint dropBelow)
    {
        var (alice, bob, mailbox) = (_alice, _bob, (await OpenAsync(_bob)).Id);
        await UploadAsync(mailbox, [1], keys: TestPrekey.X25519(4));
        OneTimePrekey[] keys = [TestPrekey.X25519(5), TestPrekey.MlKem768(5), TestPrekey.X25519(6), TestPrekey.MlKem768(6)];
        var first = await UploadAsync(mailbox, [2], dropBelow, keys);
        var given = (await TakeOneAsync(alice, bob)).OneTimePrekeys;
        var left = await Store.ReadPrekeyStockAsync(mailbox);
        Assert.NotEqual(first.Stock, left);

        await ReopenAsync();
        var repeat = await UploadAsync(mailbox, [2], dropBelow, keys);
        Assert.Equal(PrekeyUploadStatus.Stored, repeat.Status);
        Assert.Equal(left with { X25519 = left.X25519 with { Left = dropBelow == 0 ? 2 : 1 } }, repeat.Stock);
        var later = new List<OneTimePrekey>();
        while ((await TakeOneAsync(alice, bob)).OneTimePrekeys is { Count: > 0 } more)
        {
            later.AddRange(more);
        }

        Assert.Empty(later.IntersectBy(given.Select(static key => (key.Kind, key.Id)), static key => (key.Kind, key.Id)));
        Assert.Contains(later, static key => key is { Kind: OneTimePrekeyKind.MlKem768, Id: 6 });
    }

    [Fact]
    public async Task An_upload_can_drop_the_keys_before_it()
    {
        var (alice, bob, mailbox) = (_alice, _bob, (await OpenAsync(_bob)).Id);
        await UploadAsync(mailbox, [1], keys: [TestPrekey.X25519(1), TestPrekey.MlKem768(2), TestPrekey.X25519(7)]);
        var uploaded = await UploadAsync(mailbox, [], 7, TestPrekey.MlKem768(8), TestPrekey.X25519(9));
        Assert.Equal(Stock((2, 9, 0), (1, 8, 0)), uploaded.Stock);
        var taken = await TakeOneAsync(alice, bob);
        Assert.Equal([1], taken.Bundle);
        Assert.Equal([7u, 8u], taken.OneTimePrekeys.Select(static key => key.Id));

        // The numbers of dropped keys stay used.
        Assert.Equal(Stock((0, 9, 0), (0, 8, 0)), (await UploadAsync(mailbox, [], 100)).Stock);
        Assert.Equal(Stock((0, 9, 0), (0, 8, 0)), (await UploadAsync(mailbox, [], keys: TestPrekey.X25519(9))).Stock);
    }

    [Fact]
    public async Task More_keys_of_a_kind_than_are_kept_change_nothing_at_all()
    {
        var (alice, bob, mailbox) = (_alice, _bob, (await OpenAsync(_bob)).Id);
        await UploadAsync(mailbox, [1], keys: TestPrekey.MlKem768(1));
        OneTimePrekey[] most = [.. Enumerable.Range(1, ProtocolLimits.OneTimePrekeysPerKind).Select(static id => TestPrekey.X25519((uint)id))];
        Assert.Equal(Stock((200, 200, 0), (1, 1, 0)), (await UploadAsync(mailbox, [], keys: most)).Stock);

        var refused = await UploadAsync(mailbox, [9], 2, TestPrekey.MlKem768(2), TestPrekey.X25519(201), TestPrekey.X25519(202));
        Assert.Equal(PrekeyUploadStatus.TooMany, refused.Status);
        Assert.Equal(Stock((200, 200, 0), (1, 1, 0)), await Store.ReadPrekeyStockAsync(mailbox));

        // What is dropped or was passed over takes no room.
        Assert.Equal(Stock((200, 201, 0), (1, 2, 0)), (await UploadAsync(mailbox, [], 2, TestPrekey.MlKem768(2), TestPrekey.X25519(201))).Stock);
        Assert.Equal(PrekeyUploadStatus.Stored, (await UploadAsync(mailbox, [], keys: most)).Status);
        Assert.Equal([1], (await TakeOneAsync(alice, bob)).Bundle);
        Assert.Equal(Stock((200, 202, 0), (0, 2, 0)), (await UploadAsync(mailbox, [], keys: TestPrekey.X25519(202))).Stock);
    }

    [Fact]
    public async Task A_removed_device_leaves_no_prekeys_behind_and_uploads_none_later()
    {
        var (alice, bob, mailbox) = (_alice, _bob, (await OpenAsync(_bob)).Id);
        var second = TestDevice.Of("bob", bob.Client);
        var other = (await OpenAsync(second)).Id;
        await UploadAsync(other, [1], keys: TestPrekey.X25519(1));
        await UploadAsync(mailbox, [1], keys: [TestPrekey.X25519(1), TestPrekey.MlKem768(1)]);
        await WriteAsync(new CloseMailboxWrite(bob.Address));
        Assert.Equal(default, await Store.ReadPrekeyStockAsync(mailbox));
        Assert.Empty((await TakeAsync(alice, bob.Client, bob.Device))!);

        Assert.Equal(PrekeyUploadStatus.NoMailbox, (await UploadAsync(mailbox, [1], keys: TestPrekey.X25519(9))).Status);
        Assert.Equal(default, await Store.ReadPrekeyStockAsync(mailbox));
        Assert.Equal(Stock((1, 1, 0), (0, 0, 0)), await Store.ReadPrekeyStockAsync(other));

        // As a device of its own, should the id ever come again.
        var again = (await OpenAsync(bob)).Id;
        Assert.Equal(Stock((1, 1, 0), (0, 0, 0)), (await UploadAsync(again, [1], keys: TestPrekey.X25519(1))).Stock);
    }

    [Fact]
    public async Task A_one_time_prekey_is_there_again_when_the_transaction_that_took_it_failed()
    {
        var mailbox = await OpenAsync(_bob);
        await UploadAsync(mailbox.Id, [1], keys: [TestPrekey.X25519(1), TestPrekey.X25519(2)]);
        SetFailing(true);
        await Assert.ThrowsAnyAsync<Exception>(() => WriteAsync(
            new TakePrekeysWrite(_alice.Address, _bob.Client, [_bob.Device]),
            new UploadPrekeysWrite(mailbox.Id, [2], 9, [TestPrekey.X25519(9)]),
            Append(mailbox, 1)));
        SetFailing(false);

        Assert.Equal(Stock((2, 2, 0), (0, 0, 0)), await Store.ReadPrekeyStockAsync(mailbox.Id));
        var taken = await TakeOneAsync(_alice, _bob);
        Assert.Equal([1], taken.Bundle);
        Assert.Equal(1u, Assert.Single(taken.OneTimePrekeys).Id);
    }

    /// <summary>Whatever order uploads, repeats, drops, fetches and restarts come in, the store does what two sorted lists would.</summary>
    [Fact]
    public async Task Prekeys_follow_a_simple_model_through_any_sequence_of_requests()
    {
        var alice = TestDevice.Of("alice");
        var step = Gen.Select(Gen.Int[0, 9], Gen.UInt[0, 12], Gen.UInt[1, 4].Array[0, 4], Gen.UInt[1, 4].Array[0, 4]);
        await step.Array[1, 25].SampleAsync(
            async steps =>
            {
                var bob = TestDevice.Of("bob");
                var mailbox = (await OpenAsync(bob)).Id;
                var model = new PrekeyModel();
                (uint DropBelow, OneTimePrekey[] Keys)? last = null;
                await UploadAsync(mailbox, [1]);
                foreach (var (what, drop, x25519, mlKem768) in steps)
                {
                    switch (what)
                    {
                        case < 4:
                            Assert.Equal(model.Take(), (await TakeOneAsync(alice, bob)).OneTimePrekeys.Select(static key => (key.Kind, key.Id)));
                            break;
                        case < 7:
                            var keys = PrekeyModel.Keys(Math.Max(drop, 1), x25519, mlKem768);
                            last = (what == 6 ? drop : 0, keys);
                            await UploadAsync(mailbox, [], last.Value.DropBelow, keys);
                            model.Upload(last.Value.DropBelow, keys);
                            break;
                        case < 9 when last is { } repeat:
                            await UploadAsync(mailbox, [], repeat.DropBelow, repeat.Keys);
                            model.Upload(repeat.DropBelow, repeat.Keys);
                            break;
                        default:
                            await ReopenAsync();
                            break;
                    }

                    Assert.Equal(model.Stock, await Store.ReadPrekeyStockAsync(mailbox));
                }

                Assert.Equal(model.Given.Distinct().Count(), model.Given.Count);
            },
            iter: 40,
            threads: 1);
    }

    private static PrekeyStock Stock((int Left, uint Newest, ulong Misses) x25519, (int Left, uint Newest, ulong Misses) mlKem768) => new(
        new OneTimePrekeyStock(x25519.Left, x25519.Newest, x25519.Misses),
        new OneTimePrekeyStock(mlKem768.Left, mlKem768.Newest, mlKem768.Misses));

    private static void AssertKeys(DevicePrekeys taken, params OneTimePrekey[] expected)
    {
        Assert.Equal(expected.Select(static key => (key.Kind, key.Id)), taken.OneTimePrekeys.Select(static key => (key.Kind, key.Id)));
        Assert.Equal(expected.Select(static key => key.Key), taken.OneTimePrekeys.Select(static key => key.Key));
    }

    private async Task<PrekeyUpload> UploadAsync(long mailbox, byte[] bundle, uint dropBelow = 0, params OneTimePrekey[] keys)
    {
        var write = new UploadPrekeysWrite(mailbox, bundle, dropBelow, keys);
        await Store.WriteAsync([write], Start);
        return write.Result;
    }

    private async Task<IReadOnlyList<DevicePrekeys>?> TakeAsync(TestDevice requester, ClientId client, params DeviceId[] devices)
    {
        var write = new TakePrekeysWrite(requester.Address, client, devices);
        await Store.WriteAsync([write], Start);
        return write.Result;
    }

    private async Task<DevicePrekeys> TakeOneAsync(TestDevice requester, TestDevice owner) =>
        Assert.Single((await TakeAsync(requester, owner.Client, owner.Device))!);
}
