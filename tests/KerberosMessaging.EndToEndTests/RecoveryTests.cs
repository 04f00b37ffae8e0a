using KerberosMessaging.EndToEndTests.Support;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Servers come and go; connected clients find back by themselves.</summary>
public sealed class RecoveryTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task Clients_find_back_to_servers_that_were_killed_and_started_again()
    {
        await using var realm = await Realm.StartProcessesAsync(Cancel);
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await using var atAlice = Inbox.Open(alice.Client);
        await using var atBob = Inbox.Open(bob.Client);
        await TalkAsync("before");

        await realm.KillMessageAsync();
        await realm.StartMessageAsync(Cancel);
        await TalkAsync("after the message server");

        await realm.KillAuthAsync();
        await realm.StartAuthAsync(Cancel);
        await TalkAsync("after the auth server");

        await Task.WhenAll(realm.KillAuthAsync(), realm.KillMessageAsync());
        await realm.StartMessageAsync(Cancel);
        await realm.StartAuthAsync(Cancel);
        await TalkAsync("after both");

        async Task TalkAsync(string when)
        {
            await alice.Client.SendTextAsync(bob.Name, $"to bob {when}", Cancel);
            Assert.Equal($"to bob {when}", await atBob.NextTextAsync(Cancel));
            await bob.Client.SendTextAsync(alice.Name, $"to alice {when}", Cancel);
            Assert.Equal($"to alice {when}", await atAlice.NextTextAsync(Cancel));
        }
    }

    [Fact(Timeout = Patience)]
    public async Task Mail_flows_while_the_auth_server_is_away_and_a_message_written_meanwhile_is_sent_once_it_is_back()
    {
        await using var realm = await Realm.StartAsync(Cancel);
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await using var atBob = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync(bob.Name, "before", Cancel);
        Assert.Equal("before", await atBob.NextTextAsync(Cancel));
        await realm.StopAuthAsync(Cancel);

        // The message server is started anew too: bob comes back to it with the ticket he has.
        await realm.StopMessageAsync(Cancel);
        await realm.StartMessageAsync(Cancel);
        await Eventually.TrueAsync(() => ((HostedServer)realm.Message).Connections.All.Any(
            connection => connection.Principal?.ClientName == bob.Name), Cancel);
        var sending = alice.Client.SendTextAsync(bob.Name, "meanwhile", Cancel);
        await realm.StartAuthAsync(Cancel);

        await sending;
        Assert.Equal("meanwhile", await atBob.NextTextAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_client_that_logged_in_while_there_was_no_message_server_can_be_written_to_once_there_is_one()
    {
        await using var realm = await Realm.StartAsync(Cancel);
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await realm.StopMessageAsync(Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await using var atBob = Inbox.Open(bob.Client);
        await realm.StartMessageAsync(Cancel);
        await Eventually.TrueAsync(
            async () => (await bob.Client.GetContactAsync(bob.Name, Cancel)).Name == bob.Name
                && ((HostedServer)realm.Message).Connections.All.Any(connection => connection.Principal?.ClientName == bob.Name),
            Cancel);

        await alice.Client.SendTextAsync(bob.Name, "welcome", Cancel);

        Assert.Equal("welcome", await atBob.NextTextAsync(Cancel));
    }
}
