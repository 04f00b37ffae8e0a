using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Tests;

/// <summary>Message servers that come back: their proof, their keys, and what they are told as it happens.</summary>
public sealed class ServerMembershipTests : IAsyncLifetime
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
    public async Task A_server_that_proves_its_key_is_given_its_keys()
    {
        var atEnrolment = _member.Keys;
        _server.Time.AdjustTime(_server.Time.GetUtcNow().AddHours(1));

        await using var link = await _member.ArriveAsync(_server);

        Assert.Equal(atEnrolment.RealmKey, _member.Keys.RealmKey);
        Assert.Equal(atEnrolment.ServiceKeys.Select(Describe), _member.Keys.ServiceKeys.Select(Describe));
        Assert.Equal(atEnrolment.TicketSigningKeys.Select(Describe), _member.Keys.TicketSigningKeys.Select(Describe));
        var again = await link.RequestAsync<ServerKeys>(new FetchServerKeysRequest());
        Assert.Equal(atEnrolment.ServiceKeys.Select(Describe), again.ServiceKeys.Select(Describe));
        Assert.Equal(_server.Time.GetUtcNow(), Assert.Single(await ServersAsync()).LastSeenAt);
    }

    [Fact]
    public async Task A_server_that_does_not_prove_its_key_is_refused_and_told_nothing()
    {
        await using var link = await MemberLink.ConnectAsync(_server);
        await using var other = await MemberLink.ConnectAsync(_server);
        using var thief = Ed25519PrivateKey.Generate();
        var second = await TestMember.EnrolAsync(_server, "msg-2");
        var right = _member.Proof(link.ChannelBinding);
        foreach (var wrong in new[]
        {
            right with { Signature = new byte[64] },
            _member.Proof(link.ChannelBinding, key: thief),
            _member.Proof(link.ChannelBinding, key: second.Key),
            _member.Proof(link.ChannelBinding, id: second.Id),
            _member.Proof(link.ChannelBinding, id: ServerId.New()),
            _member.Proof(link.ChannelBinding, id: default(ServerId)),
            _member.Proof(other.ChannelBinding),

            // What is signed is the whole: a name or an address cannot be put in by somebody else.
            right with { Name = "another" },
            right with { Host = "evil.example" },
            right with { Port = 1 },
            right with { Server = second.Id },

            // Nor is what was signed at enrolment a proof of today.
            right with { Signature = _member.Enrolment(link.ChannelBinding, "token").Signature },
        })
        {
            Assert.Equal(ProtocolError.EnrolmentRefused, await link.RefusalAsync(wrong));
            Assert.Equal(ProtocolError.NotSignedIn, await link.RefusalAsync(new FetchServerKeysRequest()));
        }

        Assert.All(await ServersAsync(), static row => Assert.Equal("msg.example", row.Host));
        await link.RequestAsync<ServerKeys>(right);
    }

    [Theory]
    [InlineData("", "msg.example", 1257)]
    [InlineData("msg-1", "", 1257)]
    [InlineData("msg-1", "not a host", 1257)]
    [InlineData("msg-1", "msg.example", 0)]
    public async Task A_server_that_clients_could_not_be_told_of_is_refused(string name, string host, ushort port)
    {
        await using var link = await MemberLink.ConnectAsync(_server);

        Assert.Equal(
            ProtocolError.EnrolmentRefused,
            await link.RefusalAsync(_member.Proof(link.ChannelBinding, name: name, host: host, port: port)));
    }

    [Fact]
    public async Task A_disabled_server_is_refused_its_channel_is_cut_and_nobody_gets_tickets_for_it()
    {
        var (_, ticket, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            await using var link = await _member.ArriveAsync(_server);
            await link.SubscribeAsync(0);
            Assert.Equal(AdminChange.Done, await _server.Get<MessageServers>().SetDisabledAsync(_member.Id, true, Precondition.None, TestServerDomain.Admin, Cancel));

            Assert.Equal(NoticeKind.SessionEnded, Assert.IsType<Notice>(await link.NextPushAsync()).Kind);
            await link.EndedAsync();
            Assert.Empty((await client.RequestAsync<ServerList>(new ListServersRequest())).Servers);
            Assert.Equal(
                ProtocolError.UnknownServer,
                await client.RefusalAsync(ticket.Request(client, MessageCode.RequestServiceTicket, server: _member.Id)));
            await using (var again = await MemberLink.ConnectAsync(_server))
            {
                Assert.Equal(ProtocolError.EnrolmentRefused, await again.RefusalAsync(_member.Proof(again.ChannelBinding)));
            }

            Assert.Equal(AdminChange.Done, await _server.Get<MessageServers>().SetDisabledAsync(_member.Id, false, Precondition.None, TestServerDomain.Admin, Cancel));
            Assert.Single((await client.RequestAsync<ServerList>(new ListServersRequest())).Servers);
            await using var back = await _member.ArriveAsync(_server);
            var (serviceTicket, part) = await client.RequestServiceTicketAsync(ticket, _member.Id);
            part.Dispose();
            Assert.NotNull(_member.Open(serviceTicket));
        }
    }

    [Fact]
    public async Task A_channel_of_a_disabled_server_is_given_no_keys_even_if_it_never_subscribed()
    {
        await using var link = await _member.ArriveAsync(_server);
        await _server.Get<MessageServers>().SetDisabledAsync(_member.Id, true, Precondition.None, TestServerDomain.Admin, Cancel);

        Assert.Equal(ProtocolError.EnrolmentRefused, await link.RefusalAsync(new FetchServerKeysRequest()));
        Assert.Equal(ProtocolError.EnrolmentRefused, await link.RefusalAsync(new ConfirmServerKeysRequest(1, 1)));
    }

    [Fact]
    public async Task A_new_name_or_address_takes_the_place_of_the_old_one_at_once_and_for_good()
    {
        await using (var link = await MemberLink.ConnectAsync(_server))
        {
            await link.RequestAsync<ServerKeys>(_member.Proof(link.ChannelBinding, name: "Büro", host: "2001:db8::7", port: 4711));
        }

        await AssertListedAsync("Büro", "2001:db8::7", 4711);
        Assert.Equal($"server {_member.Id.Value}", Assert.Single(await _server.AuditAsync(AuditKind.ServerAddressChanged)).Actor);
        await using (var link = await MemberLink.ConnectAsync(_server))
        {
            await link.RequestAsync<ServerKeys>(_member.Proof(link.ChannelBinding, name: "Büro", host: "2001:db8::7", port: 4711));
        }

        // The same again is no change.
        Assert.Single(await _server.AuditAsync(AuditKind.ServerAddressChanged));
        await _server.StopAsync();
        await _server.StartAgainAsync();
        await AssertListedAsync("Büro", "2001:db8::7", 4711);
    }

    [Fact]
    public async Task A_repeated_enrolment_is_answered_like_the_first_as_long_as_its_token_lives_and_to_its_own_key_alone()
    {
        var token = await AuthServerApp.CreateEnrolmentTokenAsync(_server.App);
        var member = new TestMember("msg-2");
        await using var client = await _server.ConnectAsync();
        var first = await member.EnrolAsync(client, token);
        for (var i = 0; i < 3; i++)
        {
            // On other channels, since the reply was lost with the first one.
            await using var later = await _server.ConnectAsync();
            var again = await member.EnrolAsync(later, token);
            Assert.Equal(first.Server, again.Server);
            Assert.Equal(first.Keys.ServiceKeys.Select(Describe), again.Keys.ServiceKeys.Select(Describe));
        }

        Assert.Equal(
            ProtocolError.EnrolmentRefused, await client.RefusalAsync(new TestMember("msg-2").Enrolment(client.ChannelBinding, token)));
        Assert.Equal(2, (await ServersAsync()).Count);
        Assert.Equal(2, (await _server.AuditAsync(AuditKind.ServerEnrolled)).Count);

        _server.Time.AdjustTime(_server.Time.GetUtcNow().AddHours(24));
        await using var tooLate = await _server.ConnectAsync();
        Assert.Equal(ProtocolError.EnrolmentRefused, await tooLate.RefusalAsync(member.Enrolment(tooLate.ChannelBinding, token)));
    }

    [Fact]
    public async Task A_key_enrols_once_even_with_another_token()
    {
        var token = await AuthServerApp.CreateEnrolmentTokenAsync(_server.App);
        await using var client = await _server.ConnectAsync();

        Assert.Equal(
            ProtocolError.EnrolmentRefused,
            await client.RefusalAsync(new TestMember("msg-2", _member.Key).Enrolment(client.ChannelBinding, token)));
        await new TestMember("msg-2").EnrolAsync(client, token);
    }

    [Fact]
    public async Task A_server_enrolled_anew_keeps_its_id_and_gets_new_keys_and_whoever_has_the_old_ones_gets_nothing()
    {
        var (_, ticket, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            await using var old = await _member.ArriveAsync(_server);
            await old.SubscribeAsync(0);
            var anew = await EnrolAnewAsync("msg-1 again");

            Assert.Equal(_member.Id, anew.Id);
            Assert.Equal([2u], anew.Keys.ServiceKeys.Select(static key => key.Version));
            Assert.NotEqual(_member.ServiceKey(1), anew.ServiceKey(2));
            await old.EndedAsync();
            await using var link = await MemberLink.ConnectAsync(_server);
            Assert.Equal(ProtocolError.EnrolmentRefused, await link.RefusalAsync(_member.Proof(link.ChannelBinding)));
            await AssertListedAsync("msg-1 again", "msg.example", 1257);

            var (serviceTicket, part) = await client.RequestServiceTicketAsync(ticket, anew.Id);
            part.Dispose();
            Assert.NotNull(anew.Open(serviceTicket));
            Assert.Null(_member.Open(serviceTicket));
            Assert.Single(await _server.AuditAsync(AuditKind.ServerEnrolledAnew));
        }

        // The old service key is gone with the next round of housekeeping.
        _server.Time.AdjustTime(_server.Time.GetUtcNow().AddMilliseconds(1));
        await _server.KeepHouseAsync();
        var kept = await _server.ReadAsync(static database => database.ServiceKeys.AsNoTracking().ToListAsync(Cancel));
        Assert.Equal(2u, Assert.Single(kept).Version);
    }

    [Fact]
    public async Task A_server_may_be_enrolled_anew_with_the_key_that_it_has()
    {
        var made = await _server.Get<OneTimeTokens>().MakeEnrolmentAsync(_member.Id.Value, TimeSpan.FromHours(1), TestServerDomain.Admin, Cancel);
        var id = _member.Id;
        await using var client = await _server.ConnectAsync();

        await _member.EnrolAsync(client, made.Token);

        Assert.Equal(id, _member.Id);
        await using var link = await _member.ArriveAsync(_server);
        Assert.Equal(2u, _member.Keys.ServiceKeys[0].Version);
        Assert.Single(await ServersAsync());
    }

    [Fact]
    public async Task Versions_that_do_not_exist_cannot_be_confirmed()
    {
        await using var link = await _member.ArriveAsync(_server);
        await link.RequestAsync<Done>(new ConfirmServerKeysRequest(1, 1));

        foreach (var (service, signing) in new[] { (0u, 1u), (2u, 1u), (uint.MaxValue, 1u), (1u, 0u), (1u, 2u), (1u, uint.MaxValue) })
        {
            Assert.Equal(ProtocolError.Unexpected, await link.RefusalAsync(new ConfirmServerKeysRequest(service, signing)));
        }

        // The versions of another server are none of this one's.
        var other = await TestMember.EnrolAsync(_server, "msg-2");
        await _server.Get<MessageServers>().RotateAsync(other.Id, Precondition.None, TestServerDomain.Admin, Cancel);
        Assert.Equal(ProtocolError.Unexpected, await link.RefusalAsync(new ConfirmServerKeysRequest(2, 1)));
    }

    [Fact]
    public async Task The_requests_of_message_servers_are_refused_on_every_other_channel()
    {
        var (_, ticket, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            await using var stranger = await _server.ConnectAsync();
            foreach (var request in new IWireMessage[]
            {
                new SubscribeRevocationsRequest(0), new FetchServerKeysRequest(), new ConfirmServerKeysRequest(1, 1),
            })
            {
                Assert.Equal(ProtocolError.NotSignedIn, await client.RefusalAsync(request));
                Assert.Equal(ProtocolError.NotSignedIn, await stranger.RefusalAsync(request));
            }

            Assert.Null(await _server.TryPresentAsync(ticket));
        }
    }

    [Fact]
    public async Task A_message_server_s_channel_is_nobody_s_who_is_signed_in()
    {
        await using var link = await _member.ArriveAsync(_server);
        foreach (var request in new IWireMessage[]
        {
            new ListServersRequest(),
            new LookUpClientRequest("alice"),
            new LogoutRequest(Everywhere: true),
            new ListDevicesRequest(),
            new RemoveDeviceRequest(DeviceId.New()),
            new StartPasswordChangeRequest(new byte[96], SampleRecord.Element()),
        })
        {
            Assert.Equal(ProtocolError.NotSignedIn, await link.RefusalAsync(request));
        }
    }

    [Fact]
    public async Task A_channel_that_a_client_then_signs_in_is_no_longer_the_server_s()
    {
        var alice = new QuickAccount("alice");
        await using (var other = await _server.ConnectAsync())
        {
            await alice.RegisterAsync(other);
        }

        await using var client = await _server.ConnectAsync();
        await client.RequestAsync<ServerKeys>(_member.Proof(client.ChannelBinding));
        await alice.LoginAsync(client);

        Assert.Equal(ProtocolError.NotSignedIn, await client.RefusalAsync(new FetchServerKeysRequest()));
        await client.RequestAsync<ServerList>(new ListServersRequest());
    }

    [Fact]
    public async Task A_message_server_s_channel_does_not_end_by_time()
    {
        await using var link = await _member.ArriveAsync(_server);
        _server.Time.Advance(TimeSpan.FromDays(2));

        await link.RequestAsync<ServerKeys>(new FetchServerKeysRequest());
    }

    private static string Describe(VersionedKey key) => $"{key.Version} {Convert.ToHexString(key.Key)}";

    private Task<List<MessageServerRow>> ServersAsync() =>
        _server.ReadAsync(static database => database.MessageServers.AsNoTracking().ToListAsync(Cancel));

    // A member with another key in the place of the one there is.
    private async Task<TestMember> EnrolAnewAsync(string name)
    {
        var made = await _server.Get<OneTimeTokens>().MakeEnrolmentAsync(_member.Id.Value, TimeSpan.FromHours(1), TestServerDomain.Admin, Cancel);
        var anew = new TestMember(name);
        await using var client = await _server.ConnectAsync();
        await anew.EnrolAsync(client, made.Token);
        return anew;
    }

    private async Task AssertListedAsync(string name, string host, ushort port)
    {
        var (_, _, client) = await _server.SignUpQuickAsync($"client-{Guid.NewGuid():N}"[..20]);
        await using (client)
        {
            var listed = Assert.Single((await client.RequestAsync<ServerList>(new ListServersRequest())).Servers);
            Assert.Equal((_member.Id, name, host, port), (listed.Server, listed.Name, listed.Host, listed.Port));
        }
    }
}
