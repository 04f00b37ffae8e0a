using System.Buffers.Binary;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class KeyRotationTests : IAsyncLifetime
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private TestServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_new_ticket_key_seals_new_tickets_and_the_old_one_opens_old_tickets_until_they_end()
    {
        var (alice, old, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            PassTime(TimeSpan.FromHours(1));
            Assert.Equal(2u, await _server.RotateAsync(RealmKeyPurpose.Ticket));
            var rotatedAt = _server.Time.GetUtcNow();

            Assert.Null(await _server.TryPresentAsync(old));
            var renewed = await client.RenewAsync(old);
            var fresh = await alice.LoginAsync(client);
            Assert.Equal((1u, 2u, 2u), (VersionOf(old), VersionOf(renewed), VersionOf(fresh)));
            Assert.Null(await _server.TryPresentAsync(renewed));

            // The last ticket under the old key may have been made just before.
            PassTime(TimeSpan.FromHours(10) - Tick);
            await _server.KeepHouseAsync();
            Assert.Equal(2, await CountAsync(RealmKeyPurpose.Ticket));
            Assert.NotNull(_server.Keys.FindTicketKey(1));

            PassTime(Tick);
            await _server.KeepHouseAsync();
            Assert.Equal(1, await CountAsync(RealmKeyPurpose.Ticket));
            Assert.Null(_server.Keys.FindTicketKey(1));
            Assert.Equal(rotatedAt.AddHours(10), _server.Time.GetUtcNow());
        }

        // A ticket under a key that is gone is refused like any other.
        Assert.Equal(ProtocolError.TicketRefused, await _server.TryPresentAsync(old));
        await using var later = await _server.ConnectAsync();
        Assert.Null(await _server.TryPresentAsync(await alice.LoginAsync(later)));
        Assert.Equal(2, (await AuditDetailsAsync("ticket key")).Count);
    }

    [Fact]
    public async Task A_service_key_is_used_once_its_server_has_confirmed_it_and_the_old_one_ends_with_its_last_ticket()
    {
        var member = await TestMember.EnrolAsync(_server);
        var (_, ticket, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            await using var link = await member.ArriveAsync(_server);
            Assert.Equal(AdminChange.Done, await RotateServiceKeyAsync(member));

            // The server could not open it yet, and does not have to.
            Assert.Equal(1u, await ServiceVersionAsync(client, ticket, member));
            member = await FetchAsync(member, link);
            Assert.Equal([2u, 1u], member.Keys.ServiceKeys.Select(static key => key.Version));
            Assert.Equal(1u, await ServiceVersionAsync(client, ticket, member));

            // A second rotation waits for the first to be taken up.
            Assert.Equal(AdminChange.Done, await RotateServiceKeyAsync(member));
            Assert.Equal(2, await CountServiceKeysAsync());

            await link.RequestAsync<Done>(new ConfirmServerKeysRequest(2, 1));
            Assert.Equal(2u, await ServiceVersionAsync(client, ticket, member));

            PassTime(TimeSpan.FromMinutes(10));
            await _server.KeepHouseAsync();
            Assert.Equal(2, await CountServiceKeysAsync());
            PassTime(Tick);
            await _server.KeepHouseAsync();
            Assert.Equal(1, await CountServiceKeysAsync());
            member = await FetchAsync(member, link);
            Assert.Equal(2u, Assert.Single(member.Keys.ServiceKeys).Version);
            Assert.Equal(2u, await ServiceVersionAsync(client, ticket, member));

            // What is gone cannot be confirmed again, and its number is not given again.
            Assert.Equal(ProtocolError.Unexpected, await link.RefusalAsync(new ConfirmServerKeysRequest(1, 1)));
            Assert.Equal(AdminChange.Done, await RotateServiceKeyAsync(member));
            Assert.Equal([3u, 2u], (await FetchAsync(member, link)).Keys.ServiceKeys.Select(static key => key.Version));
        }
    }

    [Fact]
    public async Task Confirming_an_older_version_does_not_bring_it_back_into_use()
    {
        var member = await TestMember.EnrolAsync(_server);
        var (_, ticket, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            await using var link = await member.ArriveAsync(_server);
            await RotateServiceKeyAsync(member);
            await _server.RotateAsync(RealmKeyPurpose.TicketSigning);
            await member.TakeUpKeysAsync(link);

            await link.RequestAsync<Done>(new ConfirmServerKeysRequest(1, 1));

            Assert.Equal(2u, await ServiceVersionAsync(client, ticket, member));
            Assert.Equal(2u, await SigningVersionAsync(client, ticket, member));
        }
    }

    [Fact]
    public async Task A_ticket_signing_key_is_used_for_each_server_once_that_one_has_confirmed_it_and_the_old_one_ends_after_the_last()
    {
        var first = await TestMember.EnrolAsync(_server);
        var second = await TestMember.EnrolAsync(_server, "msg-2");
        var (_, ticket, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            await using var firstLink = await first.ArriveAsync(_server);
            await using var secondLink = await second.ArriveAsync(_server);
            Assert.Equal(2u, await _server.RotateAsync(RealmKeyPurpose.TicketSigning));
            Assert.Equal((1u, 1u), (await SigningVersionAsync(client, ticket, first), await SigningVersionAsync(client, ticket, second)));

            await first.TakeUpKeysAsync(firstLink);
            Assert.Equal((2u, 1u), (await SigningVersionAsync(client, ticket, first), await SigningVersionAsync(client, ticket, second)));

            // As long as one server knows only the old one.
            await KeepHouseForAsync(TimeSpan.FromHours(1));
            Assert.Equal(2, await CountAsync(RealmKeyPurpose.TicketSigning));
            Assert.Equal(1u, await SigningVersionAsync(client, ticket, second));

            await second.TakeUpKeysAsync(secondLink);
            Assert.Equal(2u, await SigningVersionAsync(client, ticket, second));
            await _server.KeepHouseAsync();
            PassTime(TimeSpan.FromMinutes(10) - Tick);
            await _server.KeepHouseAsync();
            Assert.Equal(2, await CountAsync(RealmKeyPurpose.TicketSigning));
            PassTime(Tick);
            await _server.KeepHouseAsync();
            Assert.Equal(1, await CountAsync(RealmKeyPurpose.TicketSigning));
            Assert.Equal(2u, Assert.Single((await FetchAsync(first, firstLink)).Keys.TicketSigningKeys).Version);
            Assert.Equal((2u, 2u), (await SigningVersionAsync(client, ticket, first), await SigningVersionAsync(client, ticket, second)));
        }

        // Who enrols now knows the new one alone.
        Assert.Equal(2u, Assert.Single((await TestMember.EnrolAsync(_server, "msg-3")).Keys.TicketSigningKeys).Version);
    }

    [Fact]
    public async Task With_new_OPAQUE_keys_old_clients_log_in_new_ones_use_them_and_the_old_ones_end_when_nobody_needs_them()
    {
        var alice = new QuickAccount("alice");
        var bob = new QuickAccount("bob");
        await using var client = await _server.ConnectAsync();
        await alice.RegisterAsync(client);
        Assert.Equal(2u, await _server.RotateAsync(RealmKeyPurpose.OprfSeed));
        await bob.RegisterAsync(client);

        Assert.True((await alice.LoginAsync(client)).Part.WantsNewRecord);
        Assert.False((await bob.LoginAsync(client)).Part.WantsNewRecord);
        Assert.Equal((1u, 2u), (await OpaqueVersionAsync(alice), await OpaqueVersionAsync(bob)));
        await _server.KeepHouseAsync();
        Assert.True(_server.Keys.HasOpaque(1));

        await alice.LoginAsync(client);
        await PasswordChange.DoAsync(client, alice, alice.Password);
        await _server.KeepHouseAsync();

        Assert.False(_server.Keys.HasOpaque(1));
        Assert.Equal((1, 1), (await CountAsync(RealmKeyPurpose.OprfSeed), await CountAsync(RealmKeyPurpose.OpaquePrivateKey)));
        Assert.False((await alice.LoginAsync(client)).Part.WantsNewRecord);
        Assert.False((await bob.LoginAsync(client)).Part.WantsNewRecord);
        Assert.Equal(Answer.Failed, await Guess.FailAsync(client, "nobody"));
    }

    [Fact]
    public async Task A_deleted_client_holds_no_OPAQUE_keys_back_and_a_disabled_one_does()
    {
        await using var client = await _server.ConnectAsync();
        var deleted = await SampleRecord.RegisterAsync(client, "alice");
        var disabled = await SampleRecord.RegisterAsync(client, "bob");
        await _server.AdministerAsync(administration => administration.DeleteAsync(deleted.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel));
        await _server.AdministerAsync(administration => administration.DisableAsync(disabled.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel));
        await _server.RotateAsync(RealmKeyPurpose.OprfSeed);

        await _server.KeepHouseAsync();
        Assert.True(_server.Keys.HasOpaque(1));

        await _server.AdministerAsync(administration => administration.DeleteAsync(disabled.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel));
        await _server.KeepHouseAsync();
        Assert.False(_server.Keys.HasOpaque(1));
    }

    [Fact]
    public async Task A_registration_under_way_with_keys_that_are_gone_meanwhile_is_refused_and_succeeds_anew()
    {
        var alice = new QuickAccount("alice");
        await using var client = await _server.ConnectAsync();
        var finish = await alice.StartRegistrationAsync(client);
        await _server.RotateAsync(RealmKeyPurpose.OprfSeed);
        await _server.KeepHouseAsync();
        Assert.False(_server.Keys.HasOpaque(1));

        Assert.Equal(RegistrationRefusal.RecordRefused, await client.RegistrationRefusalAsync(finish));

        await alice.RegisterAsync(client);
        Assert.True((await alice.TryLoginAsync(client)).Succeeded);
    }

    [Fact]
    public async Task A_change_of_password_under_way_while_the_keys_are_rotated_is_made_with_those_it_began_with()
    {
        var (alice, _, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            var change = await PasswordChange.StartAsync(client, alice, "another");
            await _server.RotateAsync(RealmKeyPurpose.OprfSeed);

            await client.RequestAsync<Done>(change.Finish);

            alice.Password = "another";
            Assert.True((await alice.LoginAsync(client)).Part.WantsNewRecord);
            Assert.Equal(1u, await OpaqueVersionAsync(alice));
        }
    }

    [Fact]
    public async Task Keys_are_rotated_by_themselves_when_they_are_old_enough_and_not_before()
    {
        var member = await TestMember.EnrolAsync(_server);
        var start = _server.Time.GetUtcNow();

        _server.Time.AdjustTime(start.AddDays(30) - Tick);
        await _server.KeepHouseAsync();
        Assert.Equal((1u, 1u, 1u), (_server.Keys.TicketKey.Version, _server.Keys.TicketSigningVersion, _server.Keys.OpaqueVersion));
        Assert.Equal(1, await CountServiceKeysAsync());

        _server.Time.AdjustTime(start.AddDays(30));
        await _server.KeepHouseAsync();
        Assert.Equal((2u, 1u, 1u), (_server.Keys.TicketKey.Version, _server.Keys.TicketSigningVersion, _server.Keys.OpaqueVersion));
        Assert.Equal(2, await CountServiceKeysAsync());

        // One that its server has not taken up is not made again and again.
        _server.Time.AdjustTime(start.AddDays(90));
        await _server.KeepHouseAsync();
        await _server.KeepHouseAsync();
        Assert.Equal((3u, 2u, 1u), (_server.Keys.TicketKey.Version, _server.Keys.TicketSigningVersion, _server.Keys.OpaqueVersion));
        Assert.Equal(2, await CountServiceKeysAsync());

        // Of the ticket keys, the first is gone and the second may still be needed.
        Assert.Equal(2, await CountAsync(RealmKeyPurpose.Ticket));
        Assert.Null(_server.Keys.FindTicketKey(1));
        await using var link = await member.ArriveAsync(_server);
        Assert.Equal([2u, 1u], member.Keys.ServiceKeys.Select(static key => key.Version));
        Assert.Equal([2u, 1u], member.Keys.TicketSigningKeys.Select(static key => key.Version));
        Assert.All(await _server.AuditAsync(AuditKind.KeyRotated), static row => Assert.Equal("system", row.Actor));
    }

    [Fact]
    public async Task A_disabled_server_s_key_is_not_rotated_by_itself()
    {
        var member = await TestMember.EnrolAsync(_server);
        await _server.Get<MessageServers>().SetDisabledAsync(member.Id, true, Precondition.None, TestServerDomain.Admin, Cancel);

        PassTime(TimeSpan.FromDays(31));
        await _server.KeepHouseAsync();

        Assert.Equal(1, await CountServiceKeysAsync());
    }

    [Fact]
    public async Task While_too_many_old_versions_are_needed_no_further_one_is_made()
    {
        for (var version = 2u; version <= 15; version++)
        {
            Assert.Equal(version, await _server.RotateAsync(RealmKeyPurpose.TicketSigning));
        }

        Assert.Null(await _server.RotateAsync(RealmKeyPurpose.TicketSigning));
        var member = await TestMember.EnrolAsync(_server);
        Assert.Equal(15, member.Keys.TicketSigningKeys.Count);
        var (_, ticket, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            Assert.Equal(15u, await SigningVersionAsync(client, ticket, member));

            await _server.KeepHouseAsync();
            PassTime(TimeSpan.FromMinutes(10));
            await _server.KeepHouseAsync();
            Assert.Equal(16u, await _server.RotateAsync(RealmKeyPurpose.TicketSigning));
        }
    }

    [Fact]
    public async Task Every_version_and_what_was_confirmed_of_it_survives_a_restart()
    {
        var member = await TestMember.EnrolAsync(_server);
        var (alice, old, client) = await _server.SignUpQuickAsync("alice");
        await client.DisposeAsync();
        await using (var link = await member.ArriveAsync(_server))
        {
            await RotateServiceKeyAsync(member);
            await _server.RotateAsync(RealmKeyPurpose.TicketSigning);
            await member.TakeUpKeysAsync(link);
        }

        await RotateServiceKeyAsync(member);
        await _server.RotateAsync(RealmKeyPurpose.TicketSigning);
        await _server.RotateAsync(RealmKeyPurpose.Ticket);
        await _server.RotateAsync(RealmKeyPurpose.OprfSeed);
        var fingerprint = _server.Keys.Fingerprint;

        await _server.StopAsync();
        await _server.StartAgainAsync();

        Assert.Equal(
            (fingerprint, 2u, 3u, 2u),
            (_server.Keys.Fingerprint, _server.Keys.TicketKey.Version, _server.Keys.TicketSigningVersion, _server.Keys.OpaqueVersion));
        await using var again = await _server.PresentAsync(old);
        Assert.Equal(2u, await ServiceVersionAsync(again, old, member));
        Assert.Equal(2u, await SigningVersionAsync(again, old, member));
        await using (var link = await member.ArriveAsync(_server))
        {
            Assert.Equal([3u, 2u, 1u], member.Keys.ServiceKeys.Select(static key => key.Version));
            Assert.Equal([3u, 2u, 1u], member.Keys.TicketSigningKeys.Select(static key => key.Version));
            await member.TakeUpKeysAsync(link);
        }

        Assert.Equal((3u, 3u), (await ServiceVersionAsync(again, old, member), await SigningVersionAsync(again, old, member)));
        var fresh = await alice.LoginAsync(again);
        Assert.Equal((2u, true), (VersionOf(fresh), fresh.Part.WantsNewRecord));
    }

    [Fact]
    public async Task The_realm_s_own_key_and_the_audit_log_s_have_no_versions()
    {
        foreach (var purpose in new[] { RealmKeyPurpose.Realm, RealmKeyPurpose.Audit, RealmKeyPurpose.OpaquePrivateKey })
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _server.RotateAsync(purpose));
        }

        Assert.True((await _server.VerifyAuditAsync()).BrokenAt is null);
    }

    [Fact]
    public async Task While_every_key_is_rotated_no_request_of_100_connected_clients_fails()
    {
        const int count = 100;
        var member = await TestMember.EnrolAsync(_server);
        await using var link = await member.ArriveAsync(_server);
        await link.SubscribeAsync(0);
        var clients = new List<(TestClient Client, TestTicket Ticket, QuickAccount Account)>();
        for (var i = 0; i < count; i++)
        {
            var (account, ticket, client) = await _server.SignUpQuickAsync($"client-{i}");
            clients.Add((client, ticket, account));
        }

        using var stop = new CancellationTokenSource();
        var opened = 0;
        var working = clients.Select(each => Task.Run(async () =>
        {
            var ticket = each.Ticket;
            for (var round = 0; !stop.IsCancellationRequested || round < 3; round++)
            {
                var (serviceTicket, part) = await each.Client.RequestServiceTicketAsync(ticket, member.Id);
                part.Dispose();
                using (var body = member.Open(serviceTicket))
                {
                    Assert.NotNull(body);
                }

                Interlocked.Increment(ref opened);
                ticket = await each.Client.RenewAsync(ticket);
                await each.Client.PresentAsync(ticket);
                await each.Client.RequestAsync<ServerList>(new ListServersRequest());
                if (round == 1)
                {
                    ticket = await each.Account.LoginAsync(each.Client);
                }
            }
        })).ToList();

        for (var round = 0; round < 3; round++)
        {
            await RotateServiceKeyAsync(member);
            Assert.IsType<ServerKeysChanged>(await link.NextPushAsync());
            await _server.RotateAsync(RealmKeyPurpose.TicketSigning);
            Assert.IsType<ServerKeysChanged>(await link.NextPushAsync());
            await _server.RotateAsync(RealmKeyPurpose.Ticket);
            await _server.RotateAsync(RealmKeyPurpose.OprfSeed);
            await member.TakeUpKeysAsync(link);
            await _server.KeepHouseAsync();
        }

        await stop.CancelAsync();
        await Task.WhenAll(working).WaitAsync(TimeSpan.FromMinutes(3), Cancel);
        Assert.True(opened >= 3 * count);
        Assert.Empty(_server.Log.Errors);
        foreach (var (client, _, _) in clients)
        {
            await client.DisposeAsync();
        }
    }

    private static uint VersionOf(TestTicket ticket)
    {
        Assert.True(TicketGrantingTicket.TryReadKeyVersion(ticket.Bytes, out var version));
        return version;
    }

    private static async Task<TestMember> FetchAsync(TestMember member, MemberLink link)
    {
        await member.FetchKeysAsync(link);
        return member;
    }

    // What stands in front of a service ticket; its server has opened it.
    private static async Task<byte[]> TicketForAsync(TestClient client, TestTicket ticket, TestMember member)
    {
        var (serviceTicket, part) = await client.RequestServiceTicketAsync(ticket, member.Id);
        part.Dispose();
        Assert.NotNull(member.Open(serviceTicket));
        return serviceTicket;
    }

    private static async Task<uint> ServiceVersionAsync(TestClient client, TestTicket ticket, TestMember member) =>
        BinaryPrimitives.ReadUInt32BigEndian((await TicketForAsync(client, ticket, member)).AsSpan(17));

    private static async Task<uint> SigningVersionAsync(TestClient client, TestTicket ticket, TestMember member) =>
        BinaryPrimitives.ReadUInt32BigEndian((await TicketForAsync(client, ticket, member)).AsSpan(21));

    // Without a word to the timers: open connections stay open, and housekeeping is the test's own.
    private void PassTime(TimeSpan time) => _server.Time.AdjustTime(_server.Time.GetUtcNow() + time);

    private async Task KeepHouseForAsync(TimeSpan time)
    {
        await _server.KeepHouseAsync();
        PassTime(time);
        await _server.KeepHouseAsync();
    }

    private Task<AdminChange> RotateServiceKeyAsync(TestMember member) =>
        _server.Get<MessageServers>().RotateAsync(member.Id, Precondition.None, TestServerDomain.Admin, Cancel);

    private Task<int> CountAsync(RealmKeyPurpose purpose) =>
        _server.ReadAsync(database => database.RealmKeys.CountAsync(row => row.Purpose == purpose, Cancel));

    private Task<int> CountServiceKeysAsync() => _server.ReadAsync(static database => database.ServiceKeys.CountAsync(Cancel));

    private async Task<uint> OpaqueVersionAsync(QuickAccount account) =>
        (await _server.ClientsAsync()).Single(row => row.Id == account.Client.Value).OpaqueKeyVersion;

    private async Task<List<string>> AuditDetailsAsync(string target) =>
    [
        .. (await _server.AuditAsync(AuditKind.KeyRotated)).Concat(await _server.AuditAsync(AuditKind.KeyRemoved))
            .Where(row => row.Target == target)
            .Select(static row => row.Detail),
    ];
}
