using KerberosMessaging.Client;
using KerberosMessaging.EndToEndTests.Support;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

public sealed class SessionTests(RealmFixture fixture) : IClassFixture<RealmFixture>
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 60_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task Nothing_is_sent_or_received_after_a_logout()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        await using var atAlice = Inbox.Open(alice.Client);
        await alice.Client.SendTextAsync(bob.Name, "before", Cancel);
        await bob.Client.SendTextAsync(alice.Name, "before", Cancel);
        await atAlice.NextTextAsync(Cancel);

        await alice.Client.LogoutAsync(everywhere: false, Cancel);

        Assert.Empty(alice.Client.ListTickets());
        Assert.Equal(MessagingFailure.NotLoggedIn, (await atAlice.FailureAsync(Cancel)).Failure);
        var e = await Assert.ThrowsAsync<MessagingException>(() => alice.Client.SendTextAsync(bob.Name, "after", Cancel));
        Assert.Equal(MessagingFailure.NotLoggedIn, e.Failure);
        e = await Assert.ThrowsAsync<MessagingException>(() => alice.Client.GetContactAsync(bob.Name, Cancel));
        Assert.Equal(MessagingFailure.NotLoggedIn, e.Failure);
        e = Assert.Throws<MessagingException>(() => alice.OpenAnother());
        Assert.Equal(MessagingFailure.NotLoggedIn, e.Failure);
        Assert.Equal(["before"], await bob.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_second_logout_does_nothing_and_a_new_login_takes_up_where_the_old_one_ended()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        await alice.Client.SendTextAsync(bob.Name, "before", Cancel);
        await bob.Client.SendTextAsync(alice.Name, "waits", Cancel);
        await alice.Client.LogoutAsync(everywhere: false, Cancel);
        await alice.Client.LogoutAsync(everywhere: true, Cancel);
        await alice.DisposeAsync();

        await using var again = await Person.LoginAsync(fixture.Realm, alice.Name, "laptop", Cancel);
        await again.Client.SendTextAsync(bob.Name, "after", Cancel);

        Assert.Equal(alice.Client.Device, again.Client.Device);
        Assert.Equal(["waits"], await again.ReadAllAsync(Cancel));
        Assert.Equal(["before", "after"], await bob.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_second_receiver_of_a_device_takes_over_from_the_first()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        await using var second = bob.OpenAnother();
        await using var atFirst = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync(bob.Name, "to the first", Cancel);
        Assert.Equal("to the first", await atFirst.NextTextAsync(Cancel));

        await using var atSecond = Inbox.Open(second);

        Assert.Equal(MessagingFailure.TakenOver, (await atFirst.FailureAsync(Cancel)).Failure);
        await alice.Client.SendTextAsync(bob.Name, "to the second", Cancel);
        await atSecond.UntilTextAsync("to the second", Cancel);

        // The first can still send, which does not take receiving back.
        await bob.Client.SendTextAsync(alice.Name, "from the first", Cancel);
        await alice.Client.SendTextAsync(bob.Name, "still to the second", Cancel);
        Assert.Equal("still to the second", await atSecond.NextTextAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_receiver_that_was_taken_over_in_the_middle_of_its_work_does_not_take_it_back()
    {
        const int Messages = 150;
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        for (var round = 0; round < 3; round++)
        {
            var texts = Enumerable.Range(0, Messages).Select(i => $"round {round}, message {i:000}").ToList();
            await using var first = bob.OpenAnother();
            await using var second = bob.OpenAnother();
            await using var atFirst = Inbox.Open(first);
            var sending = Task.WhenAll(texts.Select(text => alice.Client.SendTextAsync(bob.Name, text, Cancel)));
            await atFirst.NextAsync(Cancel);

            await using var atSecond = Inbox.Open(second);

            await sending;
            Assert.Equal(MessagingFailure.TakenOver, (await atFirst.FailureAsync(Cancel)).Failure);
            await alice.Client.SendTextAsync(bob.Name, $"round {round} is over", Cancel);

            await atSecond.UntilTextAsync($"round {round} is over", Cancel);
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_program_that_only_sends_leaves_receiving_to_another()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        await using var atBob = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync(bob.Name, "first", Cancel);
        Assert.Equal("first", await atBob.NextTextAsync(Cancel));

        await using (var sender = bob.OpenAnother())
        {
            await sender.SendTextAsync(alice.Name, "from the other program", Cancel);
            await alice.Client.SendTextAsync(bob.Name, "second", Cancel);
            Assert.Equal("second", await atBob.NextTextAsync(Cancel));
        }

        await alice.Client.SendTextAsync(bob.Name, "third", Cancel);
        Assert.Equal("third", await atBob.NextTextAsync(Cancel));
        Assert.Equal(["from the other program"], await alice.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task Looking_into_the_mailbox_again_finds_what_has_come_since()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        Assert.Empty(await bob.ReadAllAsync(Cancel));

        for (var i = 0; i < 20; i++)
        {
            await alice.Client.SendTextAsync(bob.Name, $"number {i}", Cancel);
            Assert.Equal([$"number {i}"], await bob.ReadAllAsync(Cancel));
        }
    }

    private Task<Person> JoinAsync(string name) => Person.JoinAsync(fixture.Realm, fixture.NewName(name), Cancel);
}
