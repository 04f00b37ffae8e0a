using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Tests.Attacks;

/// <summary>A token is good once, however many come with it at once.</summary>
public sealed class OneTimeTokenTests : IAsyncLifetime
{
    private const int AtOnce = 32;

    private TestServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync("--Auth:Registration=Invite");

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task An_invite_is_good_once()
    {
        var invite = await _server.InviteAsync();
        await using var client = await _server.ConnectAsync();
        await new QuickAccount("alice").RegisterAsync(client, invite.Token);

        Assert.Equal(RegistrationRefusal.InviteRefused, await client.RegistrationRefusalAsync(Start("bob", invite.Token)));
        Assert.Single(await _server.ClientsAsync());
    }

    [Fact]
    public async Task Of_32_that_use_an_invite_at_once_one_succeeds()
    {
        var invite = await _server.InviteAsync();

        var replies = await RegisterAtOnceAsync(i => new QuickAccount($"client-{i}"), invite.Token);

        AssertOneRegistered(replies);
        Assert.Single(await _server.ClientsAsync());
        Assert.Single(await _server.AuditAsync(AuditKind.ClientRegistered));
        Assert.Empty(_server.Log.Errors);
    }

    [Fact]
    public async Task A_reset_token_is_good_once()
    {
        var account = await RegisterAsync("alice");
        var token = await _server.ResetTokenAsync(account.Client);
        await using var client = await _server.ConnectAsync();
        var mine = new QuickAccount("alice");
        await mine.RegisterAsync(client, token);
        Assert.Equal(account.Client, mine.Client);

        Assert.Equal(RegistrationRefusal.InviteRefused, await client.RegistrationRefusalAsync(Start("alice", token)));
        Assert.True((await mine.TryLoginAsync(client)).Succeeded);
    }

    [Fact]
    public async Task Of_32_that_use_a_reset_token_at_once_one_succeeds_and_its_password_is_the_one()
    {
        var account = await RegisterAsync("alice");
        var token = await _server.ResetTokenAsync(account.Client);
        var accounts = Enumerable.Range(0, AtOnce).Select(static _ => new QuickAccount("alice")).ToList();

        var replies = await RegisterAtOnceAsync(i => accounts[i], token);

        var winner = AssertOneRegistered(replies);
        Assert.Equal(account.Client, replies[winner].As<ClientRegistered>()!.Client);
        Assert.Single(await _server.AuditAsync(AuditKind.PasswordReset));
        for (var i = 0; i < AtOnce; i += 8)
        {
            // The others' passwords, and of each eighth only, since failures add up.
            if (i != winner)
            {
                await using var other = await _server.ConnectAsync();
                Assert.Equal(ProtocolError.LoginFailed, (await accounts[i].TryLoginAsync(other)).Error);
            }
        }

        await using var client = await _server.ConnectAsync();
        Assert.True((await accounts[winner].TryLoginAsync(client)).Succeeded);
        Assert.Empty(_server.Log.Errors);
    }

    [Fact]
    public async Task A_new_reset_token_takes_the_place_of_the_one_before()
    {
        var account = await RegisterAsync("alice");
        var first = await _server.ResetTokenAsync(account.Client);
        var second = await _server.ResetTokenAsync(account.Client);
        await using var client = await _server.ConnectAsync();

        Assert.Equal(RegistrationRefusal.InviteRefused, await client.RegistrationRefusalAsync(Start("alice", first)));
        await new QuickAccount("alice").RegisterAsync(client, second);
    }

    [Fact]
    public async Task Of_32_different_keys_that_use_an_enrolment_token_at_once_one_is_enrolled()
    {
        var token = await AuthServerApp.CreateEnrolmentTokenAsync(_server.App);
        var members = Enumerable.Range(0, AtOnce).Select(static i => new TestMember($"msg-{i}")).ToList();

        var enrolled = await EnrolAtOnceAsync(members, token);

        Assert.Single(enrolled, static registered => registered is not null);
        Assert.Single(await ServersAsync());
        Assert.Single(await _server.AuditAsync(AuditKind.ServerEnrolled));
        Assert.Empty(_server.Log.Errors);
    }

    [Fact]
    public async Task One_key_that_uses_an_enrolment_token_32_times_at_once_is_enrolled_once_and_told_the_same_each_time()
    {
        var token = await AuthServerApp.CreateEnrolmentTokenAsync(_server.App);
        var member = new TestMember();

        var enrolled = await EnrolAtOnceAsync([.. Enumerable.Repeat(member, AtOnce)], token);

        Assert.All(enrolled, Assert.NotNull);
        Assert.Single(enrolled.Select(static registered => registered!.Server).Distinct());
        Assert.Single(enrolled.Select(static registered => Convert.ToHexString(Assert.Single(registered!.Keys.ServiceKeys).Key)).Distinct());
        Assert.Single(await ServersAsync());
        Assert.Single(await _server.AuditAsync(AuditKind.ServerEnrolled));
    }

    [Fact]
    public async Task A_token_opens_nothing_but_what_it_was_made_for()
    {
        var account = await RegisterAsync("alice");
        var enrolment = await AuthServerApp.CreateEnrolmentTokenAsync(_server.App);
        var reset = await _server.ResetTokenAsync(account.Client);
        var invite = (await _server.InviteAsync()).Token;
        await using var client = await _server.ConnectAsync();

        Assert.Equal(RegistrationRefusal.InviteRefused, await client.RegistrationRefusalAsync(Start("bob", enrolment)));
        Assert.Equal(RegistrationRefusal.InviteRefused, await client.RegistrationRefusalAsync(Start("bob", reset)));
        Assert.Equal(RegistrationRefusal.NameTaken, await client.RegistrationRefusalAsync(Start("alice", invite)));
        Assert.Equal(ProtocolError.EnrolmentRefused, await client.RefusalAsync(new TestMember().Enrolment(client.ChannelBinding, invite)));
        Assert.Equal(ProtocolError.EnrolmentRefused, await client.RefusalAsync(new TestMember().Enrolment(client.ChannelBinding, reset)));

        // None of them was spent by it.
        await new TestMember().EnrolAsync(client, enrolment);
        await new QuickAccount("alice").RegisterAsync(client, reset);
        await new QuickAccount("bob").RegisterAsync(client, invite);
    }

    private static RegisterClientRequest Start(string name, string token) => new(name, token, SampleRecord.Element());

    private static int AssertOneRegistered(WireReply[] replies)
    {
        Assert.Single(replies, static reply => reply.As<ClientRegistered>() is not null);
        Assert.All(
            replies.Where(static reply => reply.As<ClientRegistered>() is null),
            static reply => Assert.Equal(RegistrationRefusal.InviteRefused, reply.As<RegistrationRefused>()?.Reason));
        return Array.FindIndex(replies, static reply => reply.As<ClientRegistered>() is not null);
    }

    private Task<List<Persistence.MessageServerRow>> ServersAsync() =>
        _server.ReadAsync(static database => database.MessageServers.AsNoTracking().ToListAsync(Cancel));

    private async Task<QuickAccount> RegisterAsync(string name)
    {
        var account = new QuickAccount(name);
        await using var client = await _server.ConnectAsync();
        await account.RegisterAsync(client, (await _server.InviteAsync()).Token);
        return account;
    }

    // All have their first step answered before any sends its second.
    private async Task<WireReply[]> RegisterAtOnceAsync(Func<int, QuickAccount> account, string token)
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => _server.ConnectAsync()));
        var finishes = await Task.WhenAll(clients.Select((client, i) => account(i).StartRegistrationAsync(client, token)));
        var replies = await Task.WhenAll(clients.Select((client, i) => client.RequestAsync(finishes[i])));
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        return replies;
    }

    private async Task<ServerRegistered?[]> EnrolAtOnceAsync(List<TestMember> members, string token)
    {
        var clients = await Task.WhenAll(members.Select(_ => _server.ConnectAsync()));
        var enrolled = await Task.WhenAll(clients.Select(async (client, i) =>
        {
            try
            {
                return await members[i].EnrolAsync(client, token);
            }
            catch (RequestRefusedException e) when (e.Error == ProtocolError.EnrolmentRefused)
            {
                return null;
            }
        }));
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        return enrolled;
    }
}
