using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;

namespace KerberosMessaging.AuthServer.Tests;

/// <summary>Two things at once, in the one order that is the hardest: both in one transaction, or one between two steps of the other.</summary>
public sealed class RaceTests : IAsyncLifetime
{
    private TestServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Two_rotations_of_one_key_in_one_transaction_make_two_versions()
    {
        Task<uint?> first, second;
        using (await HeldWriter.HoldAsync(_server))
        {
            first = _server.RotateAsync(RealmKeyPurpose.Ticket);
            second = _server.RotateAsync(RealmKeyPurpose.Ticket);
            await HeldWriter.WaitingAsync(_server, 2);
        }

        Assert.Equal((2u, 3u), (await first, await second));
        Assert.Equal(3u, _server.Keys.TicketKey.Version);
    }

    [Fact]
    public async Task A_registration_in_the_transaction_that_removes_its_OPAQUE_keys_is_refused_or_lets_its_client_log_in()
    {
        var alice = new QuickAccount("alice");
        await using var client = await _server.ConnectAsync();
        var finish = await alice.StartRegistrationAsync(client);
        await _server.RotateAsync(RealmKeyPurpose.OprfSeed);
        Task maintaining;
        Task<WireReply> finishing;
        using (await HeldWriter.HoldAsync(_server))
        {
            maintaining = _server.Get<KeyRotation>().MaintainAsync(Cancel);
            finishing = client.RequestAsync(finish);
            await HeldWriter.WaitingAsync(_server, 2);
        }

        await maintaining;
        var reply = await finishing;
        Assert.True(
            reply.As<RegistrationRefused>()?.Reason == RegistrationRefusal.RecordRefused || (await alice.TryLoginAsync(client)).Succeeded);
    }

    [Fact]
    public async Task A_change_of_password_in_the_transaction_that_removes_its_OPAQUE_keys_is_refused_or_lets_its_client_log_in()
    {
        var (alice, _, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            await _server.RotateAsync(RealmKeyPurpose.OprfSeed);
            var change = await PasswordChange.StartAsync(client, alice, "another");
            await _server.RotateAsync(RealmKeyPurpose.OprfSeed);
            Task maintaining;
            Task<Exception?> finishing;
            using (await HeldWriter.HoldAsync(_server))
            {
                maintaining = _server.Get<KeyRotation>().MaintainAsync(Cancel);
                finishing = Record.ExceptionAsync(() => client.RequestAsync<Done>(change.Finish)).AsTask();
                await HeldWriter.WaitingAsync(_server, 2);
            }

            await maintaining;
            if (await finishing is null)
            {
                alice.Password = "another";
            }

            await using var later = await _server.ConnectAsync();
            Assert.True((await alice.TryLoginAsync(later)).Succeeded);
        }
    }

    [Fact]
    public async Task A_renewal_that_was_verified_in_a_session_s_last_moment_does_not_bring_it_back_after_a_revocation()
    {
        var (alice, ticket, client) = await _server.SignUpQuickAsync("alice");
        await client.DisposeAsync();
        var binding = new byte[32];
        var tickets = _server.Get<TicketService>();
        _server.Time.AdjustTime(ticket.Part.Times.EndsAt - TimeSpan.FromMilliseconds(1));
        using var verified = tickets.Verify(
            ticket.Bytes, Authenticator.For(binding).Seal(ticket.SessionKey, MessageCode.RenewTicket), MessageCode.RenewTicket, binding);
        Assert.NotNull(verified);

        _server.Time.AdjustTime(ticket.Part.Times.EndsAt);
        await _server.AdministerAsync(administration => administration.DisableAsync(alice.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel));

        Assert.Null(await tickets.RenewAsync(verified, TestServerDomain.Admin, Cancel));
    }

    [Fact]
    public async Task A_server_that_was_disabled_while_its_ticket_signing_key_was_replaced_is_given_tickets_again_or_none_but_no_fault()
    {
        var member = await TestMember.EnrolAsync(_server);
        var (_, ticket, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            var servers = _server.Get<MessageServers>();
            await servers.SetDisabledAsync(member.Id, true, Precondition.None, TestServerDomain.Admin, Cancel);
            await _server.RotateAsync(RealmKeyPurpose.TicketSigning);
            await _server.KeepHouseAsync();
            _server.Time.AdjustTime(_server.Time.GetUtcNow().AddMinutes(10));
            await _server.KeepHouseAsync();
            await servers.SetDisabledAsync(member.Id, false, Precondition.None, TestServerDomain.Admin, Cancel);

            var e = await Record.ExceptionAsync(() =>
                client.RequestAsync<ServiceTicketReply>(ticket.Request(client, MessageCode.RequestServiceTicket, server: member.Id)));
            Assert.True(e is null or RequestRefusedException, $"{e}");
            Assert.Empty(_server.Log.Errors);

            // Once it is back all is well.
            await using var link = await member.ArriveAsync(_server);
            await member.TakeUpKeysAsync(link);
            var (serviceTicket, part) = await client.RequestServiceTicketAsync(ticket, member.Id);
            part.Dispose();
            Assert.NotNull(member.Open(serviceTicket));
        }
    }
}
