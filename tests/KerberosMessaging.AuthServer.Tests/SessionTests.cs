using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class SessionTests : IAsyncLifetime
{
    private TestServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Of_64_logins_of_one_client_at_once_all_succeed_each_with_a_session_of_its_own()
    {
        const int count = 64;
        var alice = new QuickAccount("alice");
        var devices = Enumerable.Range(0, 8).Select(static _ => new TestDevice()).ToList();
        var clients = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => _server.ConnectAsync()));
        await alice.RegisterAsync(clients[0]);

        var tickets = await Task.WhenAll(clients.Select((client, i) => alice.LoginAsync(client, devices[i % devices.Count])));

        var now = _server.Time.GetUtcNow();
        var sessions = (await _server.SessionsAsync()).ToDictionary(static row => row.Id);
        Assert.Equal(count, sessions.Count);
        for (var i = 0; i < count; i++)
        {
            var row = sessions[tickets[i].Part.Session.Value];
            Assert.Equal(
                (alice.Client.Value, devices[i % devices.Count].Id.Value, "127.0.0.1", now, now.AddHours(10), now.AddDays(7)),
                (row.ClientId, row.DeviceId, row.Address, row.CreatedAt, row.ExpiresAt, row.RenewableUntil));
        }

        Assert.Equal(devices.Count, (await _server.DevicesAsync()).Count);
        Assert.Equal(count, (await _server.AuditAsync(AuditKind.Login)).Select(static row => row.Target).Distinct().Count());
        Assert.Null((await _server.VerifyAuditAsync()).BrokenAt);
        Assert.Empty(_server.Log.Errors);
        foreach (var client in clients)
        {
            await client.RequestAsync<ServerList>(new ListServersRequest());
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Renewals_and_logouts_at_once_leave_each_session_as_its_client_was_told()
    {
        var alice = new QuickAccount("alice");
        var clients = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => _server.ConnectAsync()));
        await alice.RegisterAsync(clients[0]);
        var tickets = await Task.WhenAll(clients.Select(client => alice.LoginAsync(client)));
        _server.Time.AdjustTime(_server.Time.GetUtcNow().AddHours(1));

        await Task.WhenAll(clients.Select((client, i) => i % 2 == 0
            ? (Task)client.RenewAsync(tickets[i])
            : client.RequestAsync<Done>(new LogoutRequest(Everywhere: false))));

        var sessions = (await _server.SessionsAsync()).ToDictionary(static row => row.Id);
        for (var i = 0; i < clients.Length; i++)
        {
            var row = sessions[tickets[i].Part.Session.Value];
            Assert.Equal(i % 2 == 0 ? null : "logout", row.RevokedReason);
            Assert.Equal(row.CreatedAt.AddHours(i % 2 == 0 ? 11 : 10), row.ExpiresAt);
            Assert.Equal(i % 2 == 0 ? (ProtocolError?)null : ProtocolError.TicketRefused, await _server.TryPresentAsync(tickets[i]));
            await clients[i].DisposeAsync();
        }
    }

    [Fact]
    public async Task A_session_s_row_says_where_it_is_from_and_how_it_was_used_and_ended()
    {
        var start = _server.Time.GetUtcNow();
        var (alice, ticket, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            PassTime(TimeSpan.FromMinutes(5));
            await (await _server.PresentAsync(ticket)).DisposeAsync();
            await _server.FlushAsync();
            var used = Assert.Single(await _server.SessionsAsync());
            Assert.Equal(
                (alice.Client.Value, alice.Device.Id.Value, "127.0.0.1", start, start.AddMinutes(5), (DateTimeOffset?)null, (string?)null),
                (used.ClientId, used.DeviceId, used.Address, used.CreatedAt, used.LastUsedAt, used.RevokedAt, used.RevokedReason));

            PassTime(TimeSpan.FromMinutes(5));
            await client.RenewAsync(ticket);
            PassTime(TimeSpan.FromMinutes(5));
            await client.RequestAsync<Done>(new LogoutRequest(Everywhere: true));
        }

        var ended = Assert.Single(await _server.SessionsAsync());
        Assert.Equal(
            (start, start.AddMinutes(10), start.AddMinutes(10).AddHours(10), start.AddMinutes(15), "logout everywhere"),
            (ended.CreatedAt, ended.LastUsedAt, ended.ExpiresAt, ended.RevokedAt!.Value, ended.RevokedReason));
    }

    [Theory]
    [InlineData("session")]
    [InlineData("all sessions")]
    [InlineData("client disabled")]
    [InlineData("client deleted")]
    [InlineData("reset token made")]
    public async Task What_an_admin_revokes_is_cut_at_once_wherever_it_is_connected_and_nothing_else(string what)
    {
        var (alice, ticket, client) = await _server.SignUpQuickAsync("alice");
        var (_, _, bob) = await _server.SignUpQuickAsync("bob");
        await using var second = await _server.PresentAsync(ticket);
        await using var phone = await _server.ConnectAsync();
        var phones = await alice.LoginAsync(phone, new TestDevice());

        await _server.AdministerAsync(async administration =>
        {
            var id = alice.Client.Value;
            await (what switch
            {
                "session" => _server.RevokeAsync(ticket.Part.Session),
                "all sessions" => administration.RevokeSessionsAsync(id, Precondition.None, TestServerDomain.Admin, Cancel),
                "client disabled" => administration.DisableAsync(id, Precondition.None, TestServerDomain.Admin, Cancel),
                "client deleted" => administration.DeleteAsync(id, Precondition.None, TestServerDomain.Admin, Cancel),
                _ => (Task)administration.MakeResetTokenAsync(id, Precondition.None, TestServerDomain.Admin, Cancel),
            });
            return true;
        });

        foreach (var cut in what == "session" ? new[] { client, second } : [client, second, phone])
        {
            Assert.Equal(NoticeKind.SessionEnded, (await cut.NextNoticeAsync()).Kind);
            await cut.EndedAsync();
        }

        Assert.Equal(ProtocolError.TicketRefused, await _server.TryPresentAsync(ticket));
        Assert.Equal(what == "session" ? (ProtocolError?)null : ProtocolError.TicketRefused, await _server.TryPresentAsync(phones));
        if (what == "session")
        {
            await phone.RequestAsync<ServerList>(new ListServersRequest());
        }

        await bob.RequestAsync<ServerList>(new ListServersRequest());
        await bob.DisposeAsync();
        await client.DisposeAsync();
    }

    [Fact]
    public async Task A_session_that_is_not_there_or_has_ended_cannot_be_revoked()
    {
        var (alice, ticket, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            Assert.Equal(AdminChange.Done, await _server.RevokeAsync(ticket.Part.Session));
            Assert.Equal(AdminChange.Done, await _server.RevokeAsync(ticket.Part.Session));
            Assert.Equal(AdminChange.Unknown, await _server.RevokeAsync(SessionId.New()));
            Assert.Single(await _server.AuditAsync(AuditKind.SessionRevoked));
            Assert.Equal((AdminChange.Unknown, 0), await _server.AdministerAsync(administration =>
                administration.RevokeSessionsAsync(Guid.NewGuid(), Precondition.None, TestServerDomain.Admin, Cancel)));
            Assert.Equal((AdminChange.Done, 0), await _server.AdministerAsync(administration =>
                administration.RevokeSessionsAsync(alice.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel)));
        }
    }

    [Fact]
    public async Task A_ticket_that_is_presented_while_its_session_is_revoked_leaves_nobody_signed_in()
    {
        const int count = 16;
        var alice = new QuickAccount("alice");
        await using var home = await _server.ConnectAsync();
        await alice.RegisterAsync(home);
        var clients = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => _server.ConnectAsync()));
        for (var round = 0; round < 2 * count; round++)
        {
            await using var other = await _server.ConnectAsync();
            var ticket = await alice.LoginAsync(other);

            // All at once; when some have been answered the session is revoked under the others.
            var presenting = clients.Select(client => Record.ExceptionAsync(() => client.PresentAsync(ticket)).AsTask()).ToList();
            while (presenting.Where(static each => !each.IsCompleted).ToList() is { Count: > 0 } waiting && count - waiting.Count < round % count)
            {
                await Task.WhenAny(waiting);
            }

            Assert.Equal(AdminChange.Done, await _server.RevokeAsync(ticket.Part.Session));
            var refusals = await Task.WhenAll(presenting);
            for (var i = 0; i < count; i++)
            {
                Assert.True(
                    refusals[i] is null or RequestRefusedException { Error: ProtocolError.TicketRefused } or ChannelException, $"{refusals[i]}");
                await AssertSignedOutAsync(clients[i]);
                if (refusals[i] is not RequestRefusedException)
                {
                    await clients[i].EndedAsync();
                    await clients[i].DisposeAsync();
                    clients[i] = await _server.ConnectAsync();
                }
            }

            await other.EndedAsync();
        }

        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_login_that_ends_while_all_sessions_are_revoked_leaves_the_channel_as_its_session_is()
    {
        var alice = new QuickAccount("alice");
        await using (var first = await _server.ConnectAsync())
        {
            await alice.RegisterAsync(first);
        }

        for (var i = 0; i < 20; i++)
        {
            await using var client = await _server.ConnectAsync();
            using var proven = await alice.ProveAsync(client);
            var finish = alice.Device.Finish(proven.Ke3, client.ChannelBinding);
            var revoking = i % 2 == 0 ? RevokeAllAsync(alice) : null;
            var finishing = Record.ExceptionAsync(() => client.RequestAsync<TicketGranted>(finish));
            await (revoking ?? RevokeAllAsync(alice));
            var refusal = await finishing;
            Assert.True(refusal is null or RequestRefusedException { Error: ProtocolError.LoginFailed } or ChannelException, $"{refusal}");

            if (Assert.Single(await _server.SessionsAsync()).RevokedAt is null)
            {
                Assert.Null(refusal);
                await client.RequestAsync<ServerList>(new ListServersRequest());
            }
            else
            {
                await AssertSignedOutAsync(client);
            }

            await _server.ReadAsync(static database => database.Sessions.ExecuteDeleteAsync(Cancel));
        }
    }

    [Fact]
    public async Task A_login_in_the_transaction_that_revokes_all_sessions_leaves_nobody_signed_in()
    {
        var alice = new QuickAccount("alice");
        await using var client = await _server.ConnectAsync();
        await alice.RegisterAsync(client);
        using var proven = await alice.ProveAsync(client);
        Task<ProtocolError> finishing;
        Task<(AdminChange Change, int Ended)> revoking;
        using (await HeldWriter.HoldAsync(_server))
        {
            finishing = client.RefusalAsync(alice.Device.Finish(proven.Ke3, client.ChannelBinding));
            await HeldWriter.WaitingAsync(_server, 1);
            revoking = RevokeAllAsync(alice);
            await HeldWriter.WaitingAsync(_server, 2);
        }

        // Nobody was signed in yet when the connections were searched for those to cut.
        Assert.Equal((AdminChange.Done, 1), await revoking);
        Assert.Equal(ProtocolError.LoginFailed, await finishing);
        await AssertSignedOutAsync(client);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_renewal_whose_session_ends_after_its_ticket_was_verified_is_refused(bool swept)
    {
        var (_, ticket, client) = await _server.SignUpQuickAsync("alice");
        await client.DisposeAsync();
        var binding = new byte[32];
        var tickets = _server.Get<TicketService>();
        using var verified = tickets.Verify(
            ticket.Bytes, Authenticator.For(binding).Seal(ticket.SessionKey, MessageCode.RenewTicket), MessageCode.RenewTicket, binding);
        Assert.NotNull(verified);

        if (swept)
        {
            await _server.ReadAsync(static database => database.Sessions.ExecuteDeleteAsync(Cancel));
        }
        else
        {
            await _server.RevokeAsync(ticket.Part.Session);
        }

        Assert.Null(await tickets.RenewAsync(verified, TestServerDomain.Admin, Cancel));
    }

    [Fact]
    public async Task A_disabled_client_logs_in_no_more_even_where_its_login_was_under_way()
    {
        var (alice, _, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            await using var other = await _server.ConnectAsync();
            using var proven = await alice.ProveAsync(other);
            await _server.AdministerAsync(administration => administration.DisableAsync(alice.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel));

            Assert.Equal(
                ProtocolError.ClientDisabled, await other.RefusalAsync(alice.Device.Finish(proven.Ke3, other.ChannelBinding)));
            Assert.Equal(ProtocolError.NotSignedIn, await other.RefusalAsync(new ListServersRequest()));
        }
    }

    [Fact]
    public async Task Rows_are_swept_a_while_after_their_sessions_have_ended_and_living_ones_are_kept()
    {
        var start = _server.Time.GetUtcNow();
        var (alice, first, client) = await _server.SignUpQuickAsync("alice");
        await client.RequestAsync<Done>(new LogoutRequest(Everywhere: false));
        await client.DisposeAsync();
        var ended = start.AddDays(7 + 90);

        // One that was begun later, and one that lives when the others are swept.
        _server.Time.AdjustTime(start.AddDays(1));
        await using (var later = await _server.ConnectAsync())
        {
            await alice.LoginAsync(later);
        }

        _server.Time.AdjustTime(ended);
        await using var now = await _server.ConnectAsync();
        var living = await alice.LoginAsync(now);
        await _server.KeepHouseAsync();
        Assert.Equal(3, (await _server.SessionsAsync()).Count);

        _server.Time.AdjustTime(ended.AddMilliseconds(1));
        await _server.KeepHouseAsync();
        var kept = await _server.SessionsAsync();
        Assert.Equal(2, kept.Count);
        Assert.DoesNotContain(kept, row => row.Id == first.Part.Session.Value);

        _server.Time.AdjustTime(ended.AddDays(1).AddMilliseconds(1));
        await _server.KeepHouseAsync();
        Assert.Equal(living.Part.Session.Value, Assert.Single(await _server.SessionsAsync()).Id);
        await now.RequestAsync<ServerList>(new ListServersRequest());
    }

    [Fact]
    public async Task Thousands_of_rows_are_swept_in_one_round_and_logins_go_on_meanwhile()
    {
        var (alice, _, client) = await _server.SignUpQuickAsync("alice");
        await client.DisposeAsync();
        var old = _server.Time.GetUtcNow().AddDays(-200);
        await _server.Get<AuthWriter>().WriteAsync(
            scope =>
            {
                for (var i = 0; i < 2600; i++)
                {
                    scope.Execute(
                        """
                        INSERT INTO "Sessions" ("Id", "ClientId", "DeviceId", "Address", "CreatedAt", "LastUsedAt", "ExpiresAt", "RenewableUntil")
                        VALUES (@0, @1, @2, '192.0.2.1', @3, @3, @3, @3)
                        """,
                        Guid.NewGuid(), alice.Client.Value, alice.Device.Id.Value, old);
                }
            },
            Cancel);

        var sweeping = _server.KeepHouseAsync();
        await using var other = await _server.ConnectAsync();
        await alice.LoginAsync(other);
        await sweeping;

        Assert.Equal(2, (await _server.SessionsAsync()).Count);
    }

    [Fact]
    public async Task The_revocation_log_is_swept_once_no_ticket_can_need_it_and_its_positions_go_on()
    {
        var (alice, _, client) = await _server.SignUpQuickAsync("alice");
        await client.DisposeAsync();
        var log = _server.Get<RevocationLog>();
        Assert.Equal(0, log.Newest);
        await RevokeAllAsync(alice);
        await RevokeAllAsync(alice);
        PassTime(TimeSpan.FromDays(1) + TimeSpan.FromMinutes(11));
        await _server.KeepHouseAsync();
        Assert.Equal([1L, 2L], log.ReadAfter(0, 10).Select(static row => row.Position));

        PassTime(TimeSpan.FromMilliseconds(1));
        await _server.KeepHouseAsync();

        Assert.Empty(log.ReadAfter(0, 10));
        Assert.Equal(2, log.Newest);
        await RevokeAllAsync(alice);
        Assert.Equal(3, Assert.Single(log.ReadAfter(0, 10)).Position);
        await _server.StopAsync();
        await _server.StartAgainAsync();
        Assert.Equal(3, _server.Get<RevocationLog>().Newest);
    }

    [Fact]
    public async Task Tokens_are_swept_a_month_after_they_have_ended()
    {
        var invite = await _server.InviteAsync();
        _server.Time.AdjustTime(invite.ExpiresAt.AddDays(30));
        await _server.KeepHouseAsync();
        Assert.Equal(1, await CountTokensAsync());

        PassTime(TimeSpan.FromMilliseconds(1));
        await _server.KeepHouseAsync();
        Assert.Equal(0, await CountTokensAsync());

        Task<int> CountTokensAsync() => _server.ReadAsync(static database => database.OneTimeTokens.CountAsync(Cancel));
    }

    private static async Task AssertSignedOutAsync(TestClient client)
    {
        var e = await Record.ExceptionAsync(() => client.RequestAsync<ServerList>(new ListServersRequest()));
        Assert.True(e is RequestRefusedException { Error: ProtocolError.NotSignedIn } or ChannelException, $"{e}");
    }

    private void PassTime(TimeSpan time) => _server.Time.AdjustTime(_server.Time.GetUtcNow() + time);

    private Task<(AdminChange Change, int Ended)> RevokeAllAsync(QuickAccount account) => _server.AdministerAsync(administration =>
        administration.RevokeSessionsAsync(account.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel));
}
