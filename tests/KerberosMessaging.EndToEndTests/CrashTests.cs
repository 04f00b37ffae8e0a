using KerberosMessaging.Client;
using KerberosMessaging.EndToEndTests.Support;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>What a server has answered is on disk: no sudden end of it loses or doubles a message.</summary>
public sealed class CrashTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;

    // Ten starts of a server on a busy machine.
    private const int LongPatience = 300_000;

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

    [Fact(Timeout = LongPatience)]
    public async Task A_message_server_killed_again_and_again_at_random_moments_loses_none_doubles_none_and_keeps_their_order()
    {
        const int Kills = 10;
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var realm = await Realm.StartProcessesAsync(Cancel);
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel, Patient);
        await using var carol = await Person.JoinAsync(realm, "carol", Cancel, Patient);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await using var atBob = Inbox.Open(bob.Client);

        // Carol sends one after the other, alice some at once.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var inOrder = Task.Run(() => SendInTurnAsync(carol, bob.Name, width: 1, stop.Token), Cancel);
        var atOnce = Task.Run(() => SendInTurnAsync(alice, bob.Name, width: 8, stop.Token), Cancel);
        var received = new List<string>();
        for (var kill = 0; kill < Kills; kill++)
        {
            // Messages flow again; now at any moment.
            received.Add(await atBob.NextTextAsync(Cancel));
            await Task.Delay(random.Next(500), Cancel);
            await realm.KillMessageAsync();
            await realm.StartMessageAsync(Cancel);
        }

        await stop.CancelAsync();
        var (inTurn, side) = (await inOrder, await atOnce);
        while (received.Count < inTurn.Count + side.Count)
        {
            received.Add(await atBob.NextTextAsync(Cancel));
        }

        Assert.Equal(inTurn, received.Where(static text => text.StartsWith("carol", StringComparison.Ordinal)));
        Assert.Equal(side.Order(), received.Where(static text => text.StartsWith("alice", StringComparison.Ordinal)).Order());

        // Nothing came twice, neither before nor now.
        await alice.Client.SendTextAsync(bob.Name, "last", Cancel);
        Assert.Equal("last", await atBob.NextTextAsync(Cancel));
        await atBob.DisposeAsync();
        await bob.ReopenAsync();
        Assert.Empty(await bob.ReadAllAsync(Cancel));
    }

    // A server that starts on a busy machine is away for longer than a person would wait.
    private static MessagingOptions Patient(MessagingOptions options) => options with { OperationTimeout = TimeSpan.FromMinutes(2) };

    /// <summary>Sends until told to stop, and returns what was sent: each call has ended well.</summary>
    private static async Task<List<string>> SendInTurnAsync(Person sender, string recipient, int width, CancellationToken stop)
    {
        var texts = new List<string>();
        while (!stop.IsCancellationRequested)
        {
            var some = Enumerable.Range(texts.Count, width).Select(number => $"{sender.Name} {number:00000}").ToList();
            texts.AddRange(some);
            await Task.WhenAll(some.Select(text => sender.Client.SendTextAsync(recipient, text, Cancel)));
        }

        return texts;
    }
}
