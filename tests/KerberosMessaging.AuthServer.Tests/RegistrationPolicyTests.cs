using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class RegistrationPolicyTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_open_realm_takes_everybody_and_refuses_a_token_that_is_not_good()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await server.ConnectAsync();
        await SampleRecord.RegisterAsync(client, "alice");

        Assert.Equal(RegistrationRefusal.InviteRefused, await client.RegistrationRefusalAsync(Start("bob", "kmsg_made-up")));

        // An invite is spent though none was needed.
        var invite = (await server.InviteAsync()).Token;
        await RegisterAsync(client, "bob", invite);
        Assert.Equal(RegistrationRefusal.InviteRefused, await client.RegistrationRefusalAsync(Start("carol", invite)));
    }

    [Fact]
    public async Task A_closed_realm_takes_nobody_and_tells_nothing_of_any_name()
    {
        await using var server = await TestServer.StartAsync();
        await using (var client = await server.ConnectAsync())
        {
            await SampleRecord.RegisterAsync(client, "alice");
        }

        await using var closed = await ChangePolicyAsync(server, RegistrationPolicy.Closed);
        foreach (var name in new[] { "alice", "bob", "a b", "", "al1ce" })
        {
            Assert.Equal(RegistrationRefusal.Closed, await closed.RegistrationRefusalAsync(Start(name, "")));
        }

        // Invites that were made before open nothing any more, and are as good as ever once the realm lets people in.
        var invite = (await server.InviteAsync()).Token;
        Assert.Equal(RegistrationRefusal.Closed, await closed.RegistrationRefusalAsync(Start("bob", invite)));
        Assert.Equal(RegistrationRefusal.InviteRefused, await closed.RegistrationRefusalAsync(Start("bob", "kmsg_made-up")));
        Assert.Single(await server.ClientsAsync());
        await using var inviting = await ChangePolicyAsync(server, RegistrationPolicy.Invite);
        await RegisterAsync(inviting, "bob", invite);
    }

    [Fact]
    public async Task A_closed_realm_lets_its_clients_log_in_and_reset_their_passwords()
    {
        await using var server = await TestServer.StartAsync();
        var alice = new QuickAccount("alice");
        await using (var client = await server.ConnectAsync())
        {
            await alice.RegisterAsync(client);
        }

        await using var closed = await ChangePolicyAsync(server, RegistrationPolicy.Closed);
        Assert.True((await alice.TryLoginAsync(closed)).Succeeded);
        var token = await server.ResetTokenAsync(alice.Client);
        await using var other = await server.ConnectAsync();
        var reset = new QuickAccount("alice");
        await reset.RegisterAsync(other, token);
        Assert.True((await reset.TryLoginAsync(other)).Succeeded);
    }

    [Fact]
    public async Task An_inviting_realm_takes_those_with_an_invite_and_tells_others_nothing_of_any_name()
    {
        await using var server = await StartInvitingAsync();
        await using var client = await server.ConnectAsync();
        await RegisterAsync(client, "alice", (await server.InviteAsync()).Token);

        foreach (var token in new[] { "", "kmsg_", "kmsg_made-up", new string('x', ProtocolLimits.TokenBytes) })
        {
            foreach (var name in new[] { "alice", "ALICE", "al1ce", "bob", "a b", "" })
            {
                Assert.Equal(RegistrationRefusal.InviteRefused, await client.RegistrationRefusalAsync(Start(name, token)));
            }
        }

        Assert.Single(await server.ClientsAsync());
    }

    [Fact]
    public async Task An_invite_is_not_spent_by_a_registration_that_is_refused()
    {
        await using var server = await StartInvitingAsync();
        await using var client = await server.ConnectAsync();
        await RegisterAsync(client, "alice", (await server.InviteAsync()).Token);
        var invite = (await server.InviteAsync()).Token;

        Assert.Equal(RegistrationRefusal.NameTaken, await client.RegistrationRefusalAsync(Start("Alice", invite)));
        Assert.Equal(RegistrationRefusal.NameTaken, await client.RegistrationRefusalAsync(Start("a1ice", invite)));
        Assert.Equal(RegistrationRefusal.NameInvalid, await client.RegistrationRefusalAsync(Start("a b", invite)));
        await client.RequestAsync<RegistrationChallenge>(Start("bob", invite));
        Assert.Equal(
            RegistrationRefusal.StretchingRefused,
            await client.RegistrationRefusalAsync(Finish("bob") with { Stretching = new Stretching(1, 1, 8) }));
        await client.RequestAsync<RegistrationChallenge>(Start("bob", invite));
        Assert.Equal(
            RegistrationRefusal.RecordRefused,
            await client.RegistrationRefusalAsync(Finish("bob") with { RegistrationRecord = new byte[192] }));

        await RegisterAsync(client, "bob", invite);
    }

    [Theory]
    [InlineData("alice")]
    [InlineData("ALICE")]
    [InlineData("ＡＬＩＣＥ")]
    public async Task An_invite_for_a_name_is_good_for_it_in_every_form_and_for_no_other(string name)
    {
        await using var server = await StartInvitingAsync();
        Assert.True(ClientName.TryParse("Alice", out var preset));
        var invite = (await server.InviteAsync(preset.Key)).Token;
        await using var client = await server.ConnectAsync();
        foreach (var other in new[] { "bob", "alice2", "a1ice", "alic", "a b" })
        {
            Assert.Equal(RegistrationRefusal.InviteRefused, await client.RegistrationRefusalAsync(Start(other, invite)));
        }

        var registered = await RegisterAsync(client, name, invite);

        Assert.Equal(registered.Client.Value, Assert.Single(await server.ClientsAsync()).Id);
    }

    [Fact]
    public async Task An_invite_says_afterwards_whom_it_let_in()
    {
        await using var server = await StartInvitingAsync();
        var invite = await server.InviteAsync();
        await using var client = await server.ConnectAsync();
        server.Time.AdjustTime(server.Time.GetUtcNow().AddHours(1));

        var registered = await RegisterAsync(client, "alice", invite.Token);

        var row = Assert.Single(await server.ReadAsync(static database => Task.FromResult(database.OneTimeTokens.ToList())));
        Assert.Equal(
            (invite.Id, server.Time.GetUtcNow(), registered.Client.Value), (row.Id, row.UsedAt!.Value, row.ClientId!.Value));
        Assert.Contains(invite.Id.ToString(), Assert.Single(await server.AuditAsync(AuditKind.ClientRegistered)).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_invite_ends_by_time_even_between_the_two_steps()
    {
        await using var server = await StartInvitingAsync();
        var invite = await server.InviteAsync();
        await using var client = await server.ConnectAsync();
        server.Time.AdjustTime(invite.ExpiresAt - TimeSpan.FromMilliseconds(1));
        await client.RequestAsync<RegistrationChallenge>(Start("alice", invite.Token));

        server.Time.AdjustTime(invite.ExpiresAt);

        Assert.Equal(RegistrationRefusal.InviteRefused, await client.RegistrationRefusalAsync(Finish("alice")));
        Assert.Equal(RegistrationRefusal.InviteRefused, await client.RegistrationRefusalAsync(Start("alice", invite.Token)));
        Assert.Empty(await server.ClientsAsync());
    }

    [Fact]
    public async Task A_revoked_invite_is_refused_even_between_the_two_steps_and_a_used_one_cannot_be_revoked()
    {
        await using var server = await StartInvitingAsync();
        var tokens = server.Get<OneTimeTokens>();
        var (revoked, used) = (await server.InviteAsync(), await server.InviteAsync());
        await using var client = await server.ConnectAsync();
        await RegisterAsync(client, "alice", used.Token);
        await client.RequestAsync<RegistrationChallenge>(Start("bob", revoked.Token));

        Assert.Equal((AdminChange.Done, false), await tokens.RevokeAsync(revoked.Id, Precondition.None, TestServerDomain.Admin, Cancel));

        Assert.Equal(RegistrationRefusal.InviteRefused, await client.RegistrationRefusalAsync(Finish("bob")));
        Assert.Equal(RegistrationRefusal.InviteRefused, await client.RegistrationRefusalAsync(Start("bob", revoked.Token)));
        Assert.Equal((AdminChange.Done, false), await tokens.RevokeAsync(revoked.Id, Precondition.None, TestServerDomain.Admin, Cancel));
        Assert.Equal((AdminChange.Done, true), await tokens.RevokeAsync(used.Id, Precondition.None, TestServerDomain.Admin, Cancel));
        Assert.Equal((AdminChange.Unknown, false), await tokens.RevokeAsync(Guid.NewGuid(), Precondition.None, TestServerDomain.Admin, Cancel));
    }

    [Fact]
    public async Task A_reset_token_is_good_for_its_own_client_alone()
    {
        await using var server = await TestServer.StartAsync();
        var (alice, _, client) = await server.SignUpQuickAsync("alice");
        await using (client)
        {
            var bob = new QuickAccount("bob");
            await bob.RegisterAsync(client);
            var token = await server.ResetTokenAsync(alice.Client);
            await using var other = await server.ConnectAsync();
            foreach (var name in new[] { "bob", "nobody", "a1ice", "" })
            {
                Assert.Equal(RegistrationRefusal.InviteRefused, await other.RegistrationRefusalAsync(Start(name, token)));
            }

            // The second step under another name than the first does not get there either.
            await other.RequestAsync<RegistrationChallenge>(Start("alice", token));
            Assert.Equal(RegistrationRefusal.RecordRefused, await other.RegistrationRefusalAsync(Finish("bob")));
            Assert.True((await bob.TryLoginAsync(other)).Succeeded);
        }
    }

    [Fact]
    public async Task A_reset_token_ends_by_time()
    {
        await using var server = await TestServer.StartAsync();
        var (alice, _, client) = await server.SignUpQuickAsync("alice");
        await client.DisposeAsync();
        var token = await server.ResetTokenAsync(alice.Client);
        server.Time.AdjustTime(server.Time.GetUtcNow().AddHours(24));

        await using var later = await server.ConnectAsync();
        Assert.Equal(RegistrationRefusal.InviteRefused, await later.RegistrationRefusalAsync(Start("alice", token)));
        Assert.True((await alice.TryLoginAsync(later)).Succeeded);
    }

    [Fact]
    public async Task A_name_that_looks_like_a_taken_one_is_refused_at_both_steps()
    {
        await using var server = await TestServer.StartAsync();
        await using var late = await server.ConnectAsync();
        await late.RequestAsync<RegistrationChallenge>(Start("paypaI", ""));
        await using var client = await server.ConnectAsync();
        await SampleRecord.RegisterAsync(client, "paypal");

        foreach (var name in new[] { "paypaI", "PAYPAL", "paypa1" })
        {
            Assert.Equal(RegistrationRefusal.NameTaken, await client.RegistrationRefusalAsync(Start(name, "")));
        }

        Assert.Equal(RegistrationRefusal.NameTaken, await late.RegistrationRefusalAsync(Finish("paypaI")));
        Assert.Single(await server.ClientsAsync());
    }

    [Fact]
    public async Task Of_64_names_that_look_alike_and_are_registered_at_once_one_succeeds()
    {
        await using var server = await TestServer.StartAsync();
        char[] alike = ['i', 'I', 'l', '1'];
        var names = (from a in alike from b in alike from c in alike select $"bob{a}{b}{c}").ToList();
        Assert.Equal(64, names.Distinct().Count());
        var clients = await Task.WhenAll(names.Select(_ => server.ConnectAsync()));
        await Task.WhenAll(clients.Select((client, i) => client.RequestAsync<RegistrationChallenge>(Start(names[i], ""))));

        var replies = await Task.WhenAll(clients.Select((client, i) => client.RequestAsync(Finish(names[i]))));

        var registered = Assert.Single(replies, static reply => reply.Code == MessageCode.ClientRegistered);
        Assert.Equal(63, replies.Count(static reply => reply.As<RegistrationRefused>()?.Reason == RegistrationRefusal.NameTaken));
        Assert.Equal(registered.As<ClientRegistered>()!.Client.Value, Assert.Single(await server.ClientsAsync()).Id);
        Assert.Empty(server.Log.Errors);
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_deleted_client_s_name_stays_reserved_and_everything_of_the_client_ends()
    {
        await using var server = await TestServer.StartAsync();
        var (alice, ticket, client) = await server.SignUpQuickAsync("Alice");
        await using (client)
        {
            var (_, _, bob) = await server.SignUpQuickAsync("bob");
            await using (bob)
            {
                Assert.Equal(AdminChange.Done, await server.AdministerAsync(administration =>
                    administration.DeleteAsync(alice.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel)));

                await client.EndedAsync();
                Assert.Equal(ProtocolError.UnknownClient, await bob.RefusalAsync(new LookUpClientRequest("alice")));
            }
        }

        Assert.Equal(ProtocolError.TicketRefused, await server.TryPresentAsync(ticket));
        await using var other = await server.ConnectAsync();
        Assert.Equal(ProtocolError.LoginFailed, (await alice.TryLoginAsync(other)).Error);
        foreach (var name in new[] { "Alice", "alice", "ＡＬＩＣＥ" })
        {
            Assert.Equal(RegistrationRefusal.NameTaken, await other.RegistrationRefusalAsync(Start(name, "")));
        }

        // What is kept of it says nothing: not even the name.
        var row = Assert.Single(await server.ClientsAsync(), row => row.Id == alice.Client.Value);
        Assert.Equal(("", 0, 0), (row.Name, row.OpaqueRecord.Length, row.PreviousKeys.Length));
        Assert.DoesNotContain("alice", row.NameKey, StringComparison.OrdinalIgnoreCase);
        Assert.StartsWith("deleted:", row.NameSkeleton, StringComparison.Ordinal);
        Assert.Equal(AdminChange.Done, await server.AdministerAsync(administration =>
            administration.DeleteAsync(alice.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel)));
        Assert.Single(await server.AuditAsync(AuditKind.ClientDeleted));
        Assert.Equal((AdminChange.Unknown, null), await server.AdministerAsync(administration =>
            administration.MakeResetTokenAsync(alice.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel)));
    }

    [Fact]
    public async Task A_deleted_client_s_name_stays_reserved_over_a_restart()
    {
        await using var server = await TestServer.StartAsync();
        await using (var client = await server.ConnectAsync())
        {
            var registered = await SampleRecord.RegisterAsync(client, "alice");
            await server.AdministerAsync(administration =>
                administration.DeleteAsync(registered.Client.Value, Precondition.None, TestServerDomain.Admin, Cancel));
        }

        await server.StopAsync();
        await server.StartAgainAsync();

        await using var again = await server.ConnectAsync();
        Assert.Equal(RegistrationRefusal.NameTaken, await again.RegistrationRefusalAsync(Start("alice", "")));
    }

    private static Task<TestServer> StartInvitingAsync() => TestServer.StartAsync("--Auth:Registration=Invite");

    private static RegisterClientRequest Start(string name, string token) => new(name, token, SampleRecord.Element());

    private static FinishRegistrationRequest Finish(string name) => new(name, SampleRecord.Make(), SampleRecord.Stretching);

    private static async Task<ClientRegistered> RegisterAsync(TestClient client, string name, string token)
    {
        await client.RequestAsync<RegistrationChallenge>(Start(name, token));
        return await client.RequestAsync<ClientRegistered>(Finish(name));
    }

    // As if the realm had been started anew under another policy.
    private static Task<TestClient> ChangePolicyAsync(TestServer server, RegistrationPolicy policy)
    {
        server.Get<IOptions<AuthOptions>>().Value.Registration = policy;
        return server.ConnectAsync();
    }
}
