using KerberosMessaging.Client;
using KerberosMessaging.EndToEndTests.Support;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>A client may end at any moment: what it had not finished it goes on with at its next start.</summary>
public sealed class ClientCrashTests(RealmFixture fixture) : IClassFixture<RealmFixture>
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 60_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task What_was_not_finished_reading_is_read_again_and_nothing_else()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        var texts = Enumerable.Range(0, 5).Select(static i => $"number {i}").ToList();
        foreach (var text in texts)
        {
            await alice.Client.SendTextAsync(bob.Name, text, Cancel);
        }

        // A message counts as read when the next one is asked for: two are, the third is not.
        Assert.Equal(texts[..3], await TakeAsync(bob, 3));
        await bob.ReopenAsync();
        Assert.Equal(texts[2..], await bob.ReadAllAsync(Cancel));
        await bob.ReopenAsync();
        Assert.Empty(await bob.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_receiver_that_ends_again_and_again_reads_everything_once()
    {
        const int Messages = 120;
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        var texts = Enumerable.Range(0, Messages).Select(static i => $"number {i:000}").ToList();
        var sending = Task.WhenAll(texts.Select(text => alice.Client.SendTextAsync(bob.Name, text, Cancel)));

        // Ends at another point of its work each time: while messages come, are committed, are acknowledged.
        var read = new List<string>();
        while (read.Count < Messages)
        {
            await bob.ReopenAsync();
            var most = 2 + (read.Count % 13);
            var taken = await TakeAsync(bob, most);

            // The last one counts as read only if more were asked for and none came.
            read.AddRange(taken.Count < most ? taken : taken[..^1]);
        }

        await sending;
        Assert.Equal(texts, read.Order());
        await bob.ReopenAsync();
        Assert.Empty(await bob.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_sender_that_ends_in_the_middle_of_its_work_can_go_on_and_sends_nothing_twice()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        await alice.Client.SendTextAsync(bob.Name, "hello", Cancel);
        var sent = new List<string> { "hello" };
        for (var round = 0; round < 5; round++)
        {
            var sending = Enumerable.Range(0, 30).Select(i => SendAsync(alice.Client, bob.Name, $"round {round}, message {i:00}")).ToList();
            await Task.WhenAny(sending.Skip(round * 5));
            await alice.ReopenAsync();
            sent.AddRange((await Task.WhenAll(sending)).OfType<string>());
        }

        // The outbox is emptied before what is written after it.
        Assert.Empty(await alice.ReadAllAsync(Cancel));
        await alice.Client.SendTextAsync(bob.Name, "the end", Cancel);
        await using var atBob = Inbox.Open(bob.Client);
        var received = new List<string>();
        while (received.LastOrDefault() != "the end")
        {
            received.Add(await atBob.NextTextAsync(Cancel));
        }

        Assert.Distinct(received);
        Assert.Empty(sent.Except(received));
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_that_could_not_be_sent_is_sent_at_the_next_start_once()
    {
        await using var realm = await Realm.StartAsync(Cancel);
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await alice.Client.SendTextAsync(bob.Name, "first", Cancel);
        await realm.StopMessageAsync(Cancel);

        // Long enough for the look-up on a busy machine, since only what was encrypted can be kept.
        await using (var hasty = alice.OpenAnother(static options => options with { OperationTimeout = TimeSpan.FromSeconds(3) }))
        {
            var e = await Assert.ThrowsAsync<MessagingException>(() => hasty.SendTextAsync(bob.Name, "kept", Cancel));
            Assert.Equal(MessagingFailure.Unreachable, e.Failure);
        }

        await realm.StartMessageAsync(Cancel);
        for (var start = 0; start < 3; start++)
        {
            await using var again = alice.OpenAnother(static options => options with { OperationTimeout = TimeSpan.FromSeconds(20) });
            await using var inbox = Inbox.Open(again);
            if (start == 0)
            {
                await using var atBob = Inbox.Open(bob.Client);
                Assert.Equal("first", await atBob.NextTextAsync(Cancel));
                Assert.Equal("kept", await atBob.NextTextAsync(Cancel));
            }
        }

        await bob.ReopenAsync();
        Assert.Empty(await bob.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_to_a_full_mailbox_is_refused_and_keeps_nothing_else_back()
    {
        await using var realm = await Realm.StartAsync(Cancel, new RealmSetup { Message = ["--Mailbox:MaxMessages=1"] });
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await alice.Client.SendTextAsync(bob.Name, "fits", Cancel);

        var e = await Assert.ThrowsAsync<MessagingException>(() => alice.Client.SendTextAsync(bob.Name, "does not", Cancel));

        Assert.Equal(MessagingFailure.MailboxFull, e.Failure);
        await bob.Client.SendTextAsync(alice.Name, "to alice", Cancel);
        await alice.ReopenAsync();
        Assert.Equal(["to alice"], await alice.ReadAllAsync(Cancel));
        Assert.Equal(["fits"], await bob.ReadAllAsync(Cancel));

        // Refused is refused: it is not sent behind its writer's back later.
        await alice.ReopenAsync();
        Assert.Empty(await alice.ReadAllAsync(Cancel));
        await alice.Client.SendTextAsync(bob.Name, "fits again", Cancel);
        Assert.Equal(["fits again"], await bob.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_wait_that_is_given_up_leaves_the_client_usable()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        using var given = new CancellationTokenSource();
        var receiving = Task.Run(
            async () =>
            {
                await foreach (var message in bob.Client.ReceiveAsync(follow: true, given.Token))
                {
                    Assert.Fail($"Nobody wrote {message}.");
                }
            },
            Cancel);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => bob.Client.SendTextAsync(alice.Name, "never", given.Token));

        await alice.Client.SendTextAsync(bob.Name, "still there?", Cancel);

        Assert.Equal(["still there?"], await bob.ReadAllAsync(Cancel));
        await bob.Client.SendTextAsync(alice.Name, "yes", Cancel);
        Assert.Equal(["yes"], await alice.ReadAllAsync(Cancel));
    }

    private static async Task<string?> SendAsync(MessagingClient client, string to, string text)
    {
        try
        {
            await client.SendTextAsync(to, text, Cancel);
            return text;
        }
        catch (Exception e) when (e is MessagingException or ObjectDisposedException)
        {
            return null;
        }
    }

    // The last one taken does not count as read.
    private static async Task<List<string>> TakeAsync(Person person, int count)
    {
        var texts = new List<string>();
        await foreach (var message in person.Client.ReceiveAsync(follow: false, Cancel))
        {
            texts.Add(Person.TextOf(message));
            if (texts.Count == count)
            {
                break;
            }
        }

        return texts;
    }

    private Task<Person> JoinAsync(string name) => Person.JoinAsync(fixture.Realm, fixture.NewName(name), Cancel);
}
