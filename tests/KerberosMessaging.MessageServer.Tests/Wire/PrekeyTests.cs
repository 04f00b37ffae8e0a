using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Wire;

public sealed class PrekeyTests : IAsyncDisposable
{
    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private TestServer? _server;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task Prekeys_are_published_and_fetched()
    {
        await StartAsync();
        await using var bob = await _server!.SignInAsync(_bob, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        var fetch = new FetchPrekeysRequest(_bob.Client, [_bob.Device, DeviceId.New()]);
        Assert.Empty((await alice.Connection.RequestAsync<PrekeysReply>(fetch, Cancellation)).Bundles);
        await UploadAsync(bob, [1, 2, 3]);
        var keys = TestPrekey.Pairs(1, 2);
        Assert.Equal(new PrekeyStatus(new(2, 2, 0), new(2, 2, 0)), await UploadAsync(bob, [4, 5], keys));
        Assert.Equal(new PrekeyStatus(new(2, 2, 0), new(2, 2, 0)), await UploadAsync(bob, [], keys));

        var fetched = Assert.Single((await alice.Connection.RequestAsync<PrekeysReply>(fetch, Cancellation)).Bundles);
        Assert.Equal(_bob.Device, fetched.Device);
        Assert.Equal([4, 5], fetched.Bundle);
        Assert.Equal(keys[..2].Select(static key => key.Key), fetched.OneTimePrekeys.Select(static key => key.Key));
        Assert.Equal(new PrekeyStatus(new(2, 3, 0), new(1, 2, 0)), await UploadAsync(bob, [], TestPrekey.X25519(3)));
    }

    [Fact]
    public async Task Sixty_four_fetches_at_once_get_sixty_four_different_keys_and_after_a_restart_come_others()
    {
        await StartAsync("--Prekeys:FetchBurst=100");
        await using (var bob = await _server!.SignInAsync(_bob, Cancellation))
        {
            await UploadAsync(bob, [1], TestPrekey.Pairs(1, 100));
        }

        var given = await FetchAtOnceAsync(64);
        Assert.Equal(Expected(1, 64), given.Order());

        await _server.StopAsync();
        await _server.StartAgainAsync();
        Assert.Equal(Expected(65, 36), (await FetchAtOnceAsync(64)).Order());
        await using var owner = await _server.SignInAsync(_bob, Cancellation);
        Assert.Equal(new PrekeyStatus(new(0, 100, 28), new(0, 100, 28)), await StatusAsync(owner));
    }

    [Fact]
    public async Task Two_fetchers_and_an_uploader_side_by_side_double_and_lose_no_key()
    {
        await StartAsync("--Prekeys:FetchBurst=10000");
        await using var bob = await _server!.SignInAsync(_bob, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await using var carol = await _server.SignInAsync(TestDevice.Of("carol"), Cancellation);
        await UploadAsync(bob, [1]);
        var uploading = Task.Run(
            async () =>
            {
                for (var batch = 0u; batch < 20; batch++)
                {
                    var keys = TestPrekey.Pairs((batch * 5) + 1, 5);
                    await UploadAsync(bob, [], keys);
                    await UploadAsync(bob, [], keys);
                }
            },
            Cancellation);
        var given = (await Task.WhenAll(FetchUntilAsync(alice, 50), FetchUntilAsync(carol, 50))).SelectMany(static keys => keys).ToList();
        await uploading;

        // Each asked for its share; whatever is left over belongs to nobody yet.
        var left = await StatusAsync(bob);
        Assert.Equal(given.Count, given.Distinct().Count());
        Assert.Equal(200, given.Count + left.X25519.Left + left.MlKem768.Left);
    }

    [Fact]
    public async Task A_client_fetches_anothers_prekeys_so_often_and_then_once_a_minute()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        _server = await TestServer.StartAsync(time);
        var carol = TestDevice.Of("carol");
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await using var other = await _server.SignInAsync(carol, Cancellation);
        await UploadAsync(bob, [1], TestPrekey.Pairs(1, 100));
        await using var laptop = await _server.SignInAsync(_alice, Cancellation);
        await using var phone = await _server.SignInAsync(TestDevice.Of("alice", _alice.Client), Cancellation);
        for (var i = 0; i < 5; i++)
        {
            await FetchAsync(laptop);
            await FetchAsync(phone);
        }

        await AssertLimitedAsync(laptop, TimeSpan.FromMinutes(1));
        await AssertLimitedAsync(phone, TimeSpan.FromMinutes(1));
        Assert.Equal(90, (await StatusAsync(bob)).X25519.Left);

        // It is a matter between the two alone.
        await laptop.Connection.RequestAsync<PrekeysReply>(new FetchPrekeysRequest(carol.Client, [carol.Device]), Cancellation);
        Assert.Equal(11u, (await FetchAsync(other))[0].Id);

        time.Advance(TimeSpan.FromSeconds(45));
        await AssertLimitedAsync(laptop, TimeSpan.FromSeconds(15));
        time.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(12u, (await FetchAsync(laptop))[0].Id);
        await AssertLimitedAsync(phone, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_fetch_that_gives_nothing_does_not_count()
    {
        await StartAsync("--Prekeys:FetchBurst=1", "--Prekeys:FetchedClients=1");
        await using var bob = await _server!.SignInAsync(_bob, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await UploadAsync(bob, [1]);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(ProtocolError.UnknownClient, (await RefusalAsync(alice, new FetchPrekeysRequest(ClientId.New(), []))).Error);
            var nobody = new FetchPrekeysRequest(_bob.Client, [DeviceId.New()]);
            Assert.Empty((await alice.Connection.RequestAsync<PrekeysReply>(nobody, Cancellation)).Bundles);
        }

        await FetchAsync(alice);
        var refusal = await RefusalAsync(alice, new FetchPrekeysRequest(_bob.Client, [_bob.Device]));
        Assert.Equal(ProtocolError.TooManyRequests, refusal.Error);
        Assert.InRange(refusal.RetryAfter, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Too_many_keys_are_refused_and_nothing_is_stored()
    {
        await StartAsync();
        await using var bob = await _server!.SignInAsync(_bob, Cancellation);
        await UploadAsync(bob, [1], TestPrekey.Pairs(1, 100));
        await UploadAsync(bob, [1], TestPrekey.Pairs(101, 100));
        var refusal = await RefusalAsync(bob, new UploadPrekeysRequest([2], 0, [TestPrekey.MlKem768(201)]));
        Assert.Equal((ProtocolError.QuotaExceeded, TimeSpan.Zero), (refusal.Error, refusal.RetryAfter));
        Assert.Equal(new PrekeyStatus(new(200, 200, 0), new(200, 200, 0)), await StatusAsync(bob));
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        Assert.Equal(2, (await FetchAsync(alice)).Count);
    }

    [Fact]
    public async Task An_owner_that_receives_is_told_once_a_minute_when_few_keys_are_left()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        _server = await TestServer.StartAsync(time, "--Prekeys:FetchBurst=1000");
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await using var sending = await _server.SignInAsync(_bob, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await bob.GrantAsync(0, Cancellation);
        await UploadAsync(bob, [1], TestPrekey.Pairs(1, 21));
        await FetchAsync(alice);
        await bob.FenceAsync(Cancellation);
        Assert.Equal(0, bob.Alerts);

        await FetchAsync(alice);
        Assert.Equal(new PrekeysLow(new(19, 21, 0), new(19, 21, 0)), await bob.NextAlertAsync(Cancellation));
        time.Advance(TimeSpan.FromSeconds(59));
        for (var i = 0; i < 19; i++)
        {
            await FetchAsync(alice);
        }

        await bob.FenceAsync(Cancellation);
        Assert.Equal(0, bob.Alerts);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await FetchAsync(alice));
        Assert.Equal(new PrekeysLow(new(0, 21, 1), new(0, 21, 1)), await bob.NextAlertAsync(Cancellation));

        await sending.FenceAsync(Cancellation);
        Assert.Equal(0, sending.Alerts);
    }

    [Fact]
    public async Task An_owner_that_was_away_asks_what_happened()
    {
        await StartAsync();
        await using (var bob = await _server!.SignInAsync(_bob, Cancellation))
        {
            Assert.Equal(new PrekeyStatus(default, default), await StatusAsync(bob));
            await UploadAsync(bob, [1], TestPrekey.X25519(1), TestPrekey.X25519(2), TestPrekey.MlKem768(7));
        }

        await using (var alice = await _server.SignInAsync(_alice, Cancellation))
        {
            for (var i = 0; i < 4; i++)
            {
                await FetchAsync(alice);
            }
        }

        await using var again = await _server.SignInAsync(_bob, Cancellation);
        Assert.Equal(new PrekeyStatus(new(0, 2, 2), new(0, 7, 3)), await StatusAsync(again));
        Assert.Equal(new PrekeyStatus(new(1, 3, 2), new(0, 7, 3)), await UploadAsync(again, [], TestPrekey.X25519(3)));
    }

    [Fact]
    public async Task Malformed_keys_end_the_connection()
    {
        await StartAsync();
        await using var bob = await _server!.SignInAsync(_bob, Cancellation);
        await Assert.ThrowsAsync<ChannelException>(() => UploadAsync(bob, [1], TestPrekey.X25519(2), TestPrekey.X25519(2)));
        var end = await bob.Connection.Ended.WaitAsync(Cancellation);
        Assert.Equal((ChannelFailure.RefusedByPeer, ProtocolError.Malformed), (end.Failure, end.PeerError));
    }

    private static (OneTimePrekeyKind Kind, uint Id)[] Expected(uint from, int count) =>
        [.. TestPrekey.Pairs(from, count).Select(static key => (key.Kind, key.Id)).Order()];

    private static Task<PrekeyStatus> UploadAsync(TestClient owner, byte[] bundle, params OneTimePrekey[] keys) =>
        owner.Connection.RequestAsync<PrekeyStatus>(new UploadPrekeysRequest(bundle, 0, keys), Cancellation);

    private static Task<PrekeyStatus> StatusAsync(TestClient owner) =>
        owner.Connection.RequestAsync<PrekeyStatus>(new PrekeyStatusRequest(), Cancellation);

    private static async Task<RequestRefusedException> RefusalAsync(TestClient client, IWireMessage request) =>
        await Assert.ThrowsAsync<RequestRefusedException>(() => client.Connection.RequestAsync(request, Cancellation));

    private async Task StartAsync(params string[] args) => _server = await TestServer.StartAsync(time: null, args);

    private async Task<IReadOnlyList<OneTimePrekey>> FetchAsync(TestClient requester)
    {
        var reply = await requester.Connection.RequestAsync<PrekeysReply>(new FetchPrekeysRequest(_bob.Client, [_bob.Device]), Cancellation);
        return Assert.Single(reply.Bundles).OneTimePrekeys;
    }

    private async Task AssertLimitedAsync(TestClient requester, TimeSpan retryAfter)
    {
        var refusal = await RefusalAsync(requester, new FetchPrekeysRequest(_bob.Client, [_bob.Device]));
        Assert.Equal((ProtocolError.TooManyRequests, retryAfter), (refusal.Error, refusal.RetryAfter));
    }

    // Over eight connections of four clients.
    private async Task<List<(OneTimePrekeyKind Kind, uint Id)>> FetchAtOnceAsync(int count)
    {
        var clients = new List<TestClient>();
        try
        {
            for (var i = 0; i < 4; i++)
            {
                var device = TestDevice.Of($"client {i}");
                clients.Add(await _server!.SignInAsync(device, Cancellation));
                clients.Add(await _server!.SignInAsync(device, Cancellation));
            }

            var fetched = await Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(() => FetchAsync(clients[i % clients.Count]))));
            return [.. fetched.SelectMany(static keys => keys).Select(static key => (key.Kind, key.Id))];
        }
        finally
        {
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }
        }
    }

    private async Task<List<(OneTimePrekeyKind Kind, uint Id)>> FetchUntilAsync(TestClient requester, int count)
    {
        var given = new List<(OneTimePrekeyKind, uint)>();
        while (given.Count < count)
        {
            given.AddRange((await FetchAsync(requester)).Select(static key => (key.Kind, key.Id)));
        }

        return given;
    }
}
