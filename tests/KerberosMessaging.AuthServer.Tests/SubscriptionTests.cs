using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using RevocationKind = KerberosMessaging.Protocol.Messages.RevocationKind;

namespace KerberosMessaging.AuthServer.Tests;

/// <summary>What message servers are told by themselves: revocations from a position on, and that keys have changed.</summary>
public sealed class SubscriptionTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private TestMember _member = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _member = await TestMember.EnrolAsync(_server);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Revocations_are_told_as_they_come_in_order_with_what_they_revoke()
    {
        await using var link = await _member.ArriveAsync(_server);
        Assert.Equal(0ul, (await link.SubscribeAsync(0)).Newest);
        var (alice, first, client) = await _server.SignUpQuickAsync("alice");
        await using var second = await _server.ConnectAsync();
        var phone = new TestDevice();
        var phones = await alice.LoginAsync(second, phone);
        var start = _server.Time.GetUtcNow();

        await _server.RevokeAsync(first.Part.Session);
        var session = Assert.Single(await link.NextRevocationsAsync(1));
        _server.Time.AdjustTime(start.AddSeconds(1));
        await second.RequestAsync<Done>(new RemoveDeviceRequest(phone.Id));
        var device = Assert.Single(await link.NextRevocationsAsync(1));
        _server.Time.AdjustTime(start.AddSeconds(2));
        await _server.AdministerAsync(administration =>
            administration.RevokeSessionsAsync(alice.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel));
        var everything = Assert.Single(await link.NextRevocationsAsync(1));

        Assert.Equal(
            new Revocation(1, RevocationKind.Session, alice.Client, alice.Device.Id, first.Part.Session, start), session);
        Assert.Equal(new Revocation(2, RevocationKind.Device, alice.Client, phone.Id, default, start.AddSeconds(1)), device);
        Assert.Equal(new Revocation(3, RevocationKind.Client, alice.Client, default, default, start.AddSeconds(2)), everything);
        Assert.NotEqual(default, phones.Part.Session);
        await client.DisposeAsync();
    }

    [Fact]
    public async Task A_server_that_was_away_is_told_what_it_missed_from_its_position_on_and_then_goes_on()
    {
        var clients = NewClients(10);
        await RevokeAsync(clients[..6]);
        await using (var before = await _member.ArriveAsync(_server))
        {
            Assert.Equal(6ul, (await before.SubscribeAsync(0)).Newest);
            AssertPositions(1, 6, await before.NextRevocationsAsync(6), clients[..6]);
        }

        await RevokeAsync(clients[6..8]);
        await using var link = await _member.ArriveAsync(_server);
        Assert.Equal(8ul, (await link.SubscribeAsync(4)).Newest);
        AssertPositions(5, 8, await link.NextRevocationsAsync(4), clients[4..8]);

        await RevokeAsync(clients[8..]);
        AssertPositions(9, 10, await link.NextRevocationsAsync(2), clients[8..]);
    }

    [Fact]
    public async Task A_server_that_missed_nothing_or_names_a_position_yet_to_come_is_told_nothing_old()
    {
        var clients = NewClients(4);
        await RevokeAsync(clients[..3]);
        await using var current = await _member.ArriveAsync(_server);
        Assert.Equal(3ul, (await current.SubscribeAsync(3)).Newest);
        await using var ahead = await _member.ArriveAsync(_server);
        Assert.Equal(3ul, (await ahead.SubscribeAsync(ulong.MaxValue)).Newest);

        await RevokeAsync(clients[3..]);

        AssertPositions(4, 4, await current.NextRevocationsAsync(1), clients[3..]);
    }

    [Fact]
    public async Task A_long_absence_is_caught_up_with_in_several_pushes_without_a_gap()
    {
        var clients = NewClients(600);
        await RevokeAsync(clients);

        await using var link = await _member.ArriveAsync(_server);
        Assert.Equal(600ul, (await link.SubscribeAsync(0)).Newest);

        AssertPositions(1, 600, await link.NextRevocationsAsync(600), clients);
    }

    [Fact]
    public async Task What_is_revoked_while_a_server_subscribes_is_told_once()
    {
        var clients = NewClients(40);
        for (var round = 0; round < 4; round++)
        {
            await using var link = await _member.ArriveAsync(_server);
            var these = clients.GetRange(round * 10, 10);
            var revoking = RevokeAsync(these);
            await link.SubscribeAsync((ulong)(round * 10));

            await revoking;
            AssertPositions(round * 10 + 1, round * 10 + 10, await link.NextRevocationsAsync(10), these);
        }
    }

    [Fact]
    public async Task Each_of_two_servers_is_told_everything()
    {
        var other = await TestMember.EnrolAsync(_server, "msg-2");
        await using var first = await _member.ArriveAsync(_server);
        await using var second = await other.ArriveAsync(_server);
        await first.SubscribeAsync(0);
        await second.SubscribeAsync(0);
        var clients = NewClients(20);

        await RevokeAsync(clients);

        AssertPositions(1, 20, await first.NextRevocationsAsync(20), clients);
        AssertPositions(1, 20, await second.NextRevocationsAsync(20), clients);
    }

    [Fact]
    public async Task A_server_that_reads_slowly_holds_nobody_up_and_misses_nothing()
    {
        var other = await TestMember.EnrolAsync(_server, "msg-2");
        await using var slow = await _member.ArriveAsync(_server);
        await using var quick = await other.ArriveAsync(_server);
        await slow.SubscribeAsync(0);
        await quick.SubscribeAsync(0);
        slow.StopReading();
        var clients = NewClients(300);
        var first = clients[..1];
        await RevokeAsync(first);
        AssertPositions(1, 1, await quick.NextRevocationsAsync(1), first);

        await RevokeAsync(clients[1..]);

        AssertPositions(2, 300, await quick.NextRevocationsAsync(299), clients[1..]);
        slow.ReadOn();
        AssertPositions(1, 300, await slow.NextRevocationsAsync(300), clients);
    }

    [Fact]
    public async Task A_second_subscription_on_one_channel_is_unexpected()
    {
        await using var link = await _member.ArriveAsync(_server);
        await link.SubscribeAsync(0);

        Assert.Equal(ProtocolError.Unexpected, await link.RefusalAsync(new SubscribeRevocationsRequest(0)));
    }

    [Fact]
    public async Task Keys_that_have_changed_are_announced_and_what_is_no_change_is_not()
    {
        await using var link = await _member.ArriveAsync(_server);
        await link.SubscribeAsync(0);
        var servers = _server.Get<MessageServers>();
        var clients = NewClients(4);

        // Another server's arrival and keys, the confirmation of what there is, keys that are no business of a message server.
        var other = await TestMember.EnrolAsync(_server, "msg-2");
        await (await other.ArriveAsync(_server)).DisposeAsync();
        await servers.RotateAsync(other.Id, Precondition.None, TestServerDomain.Admin, Cancel);
        await _member.TakeUpKeysAsync(link);
        await _server.RotateAsync(RealmKeyPurpose.Ticket);
        await _server.RotateAsync(RealmKeyPurpose.OprfSeed);
        await RevokeOneByOneAsync(link, clients[..2]);

        await servers.RotateAsync(_member.Id, Precondition.None, TestServerDomain.Admin, Cancel);
        Assert.IsType<ServerKeysChanged>(await link.NextPushAsync());
        await servers.RotateAsync(_member.Id, Precondition.None, TestServerDomain.Admin, Cancel);
        await _member.TakeUpKeysAsync(link);
        await RevokeOneByOneAsync(link, clients[2..3]);

        await _server.RotateAsync(RealmKeyPurpose.TicketSigning);
        Assert.IsType<ServerKeysChanged>(await link.NextPushAsync());
        await _member.TakeUpKeysAsync(link);
        await RevokeOneByOneAsync(link, clients[3..]);
        Assert.Equal([2u, 1u], _member.Keys.ServiceKeys.Select(static key => key.Version));
        Assert.Equal([2u, 1u], _member.Keys.TicketSigningKeys.Select(static key => key.Version));
    }

    private static void AssertPositions(int first, int last, List<Revocation> entries, List<ClientId> clients)
    {
        Assert.Equal(Enumerable.Range(first, last - first + 1).Select(static position => (ulong)position), entries.Select(static entry => entry.Position));
        Assert.Equal(clients, entries.Select(static entry => entry.Client));
    }

    // The log asks for no more of a client than its id.
    private static List<ClientId> NewClients(int count) => [.. Enumerable.Range(0, count).Select(static _ => ClientId.New())];

    private Task<int[]> RevokeAsync(List<ClientId> clients) => Task.WhenAll(clients.Select(client => _server.Get<AuthWriter>().WriteAsync(
        scope => _server.Get<RevocationLog>().RevokeClient(scope, client.Value, "test"), Cancel)));

    // One push for each, and nothing in between.
    private async Task RevokeOneByOneAsync(MemberLink link, List<ClientId> clients)
    {
        foreach (var client in clients)
        {
            await RevokeAsync([client]);
            Assert.Equal(client, Assert.Single(await link.NextRevocationsAsync(1)).Client);
        }
    }
}
