using KerberosMessaging.EndToEndTests.Support;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>What a server has answered is on disk: no sudden end of it loses or doubles a message.</summary>
public sealed class CrashTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task A_message_server_killed_right_after_its_answer_has_lost_nothing()
    {
        await using var realm = await Realm.StartProcessesAsync(Cancel);
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);

        for (var round = 0; round < 5; round++)
        {
            // From the second round on bob has read the earlier ones: they must not come again either.
            var texts = Enumerable.Range(0, round + 1).Select(i => $"round {round}, message {i}").ToList();
            foreach (var text in texts)
            {
                await alice.Client.SendTextAsync(bob.Name, text, Cancel);
            }

            await realm.KillMessageAsync();
            await realm.StartMessageAsync(Cancel);
            await bob.ReopenAsync();
            Assert.Equal(texts, await bob.ReadAllAsync(Cancel));
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_server_killed_while_messages_are_under_way_loses_none_and_doubles_none()
    {
        const int PerRound = 60;
        await using var realm = await Realm.StartProcessesAsync(Cancel);
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await using var atBob = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync(bob.Name, "hello", Cancel);
        Assert.Equal("hello", await atBob.NextTextAsync(Cancel));

        for (var round = 0; round < 3; round++)
        {
            var texts = Enumerable.Range(0, PerRound).Select(i => $"round {round}, message {i:00}").ToList();
            var sending = texts.Select(text => alice.Client.SendTextAsync(bob.Name, text, Cancel)).ToList();

            // Some are answered by now, some are not, and the killing falls between any two.
            await Task.WhenAll(sending.Take(PerRound / 4 * (round + 1)));
            await realm.KillMessageAsync();
            await realm.StartMessageAsync(Cancel);

            // Each call ends well: what was not answered was sent again by itself.
            await Task.WhenAll(sending);
            Assert.Equal(texts, (await atBob.NextTextsAsync(PerRound, Cancel)).Order());
        }

        // Nothing came twice, neither before nor now.
        await alice.Client.SendTextAsync(bob.Name, "last", Cancel);
        Assert.Equal("last", await atBob.NextTextAsync(Cancel));
        await atBob.DisposeAsync();
        await bob.ReopenAsync();
        Assert.Empty(await bob.ReadAllAsync(Cancel));
    }
}
