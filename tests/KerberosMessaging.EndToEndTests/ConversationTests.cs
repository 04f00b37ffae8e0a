using KerberosMessaging.Client;
using KerberosMessaging.EndToEndTests.Support;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

public sealed class ConversationTests(RealmFixture fixture) : IClassFixture<RealmFixture>
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 30_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task A_message_and_its_answer_arrive_while_both_are_there()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        await using var atAlice = Inbox.Open(alice.Client);
        await using var atBob = Inbox.Open(bob.Client);

        var sent = await alice.Client.SendTextAsync(bob.Name, "How are you?", Cancel);
        var received = await atBob.NextAsync(Cancel);
        await bob.Client.SendTextAsync(alice.Name, "Fine.", Cancel);

        Assert.Equal("How are you?", received.Content?.Text);
        Assert.Equal(sent.Id, received.Id);
        Assert.Equal(sent.AcceptedAt, received.AcceptedAt);
        Assert.Equal(alice.Client.Id, received.Sender);
        Assert.Equal(alice.Client.Device, received.SenderDevice);
        Assert.Equal(alice.Name, received.SenderName);
        Assert.Equal(1, sent.Devices);
        Assert.Equal("Fine.", await atAlice.NextTextAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task What_was_sent_to_someone_offline_waits_for_them()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        await bob.Client.DisposeAsync();

        await alice.Client.SendTextAsync(bob.Name, "first", Cancel);
        await alice.Client.SendTextAsync(bob.Name, "second", Cancel);
        await bob.ReopenAsync();

        Assert.Equal(["first", "second"], await bob.ReadAllAsync(Cancel));
        await bob.ReopenAsync();
        Assert.Empty(await bob.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task Messages_arrive_in_the_order_in_which_they_were_sent()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        await using var atBob = Inbox.Open(bob.Client);
        var texts = Enumerable.Range(1, 10).Select(static i => $"number {i}").ToList();

        foreach (var text in texts)
        {
            await alice.Client.SendTextAsync(bob.Name, text, Cancel);
        }

        Assert.Equal(texts, await atBob.NextTextsAsync(10, Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task Many_messages_sent_at_once_all_arrive()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        var texts = Enumerable.Range(0, 200).Select(static i => $"number {i:000}").ToList();

        await Task.WhenAll(texts.Select(text => alice.Client.SendTextAsync(bob.Name, text, Cancel)));

        await using var atBob = Inbox.Open(bob.Client);
        Assert.Equal(texts, (await atBob.NextTextsAsync(200, Cancel)).Order());
    }

    [Fact(Timeout = Patience)]
    public async Task Two_who_write_to_each_other_first_understand_each_other_ever_after()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");

        // Neither has seen anything of the other when both encrypt.
        await Task.WhenAll(
            alice.Client.SendTextAsync(bob.Name, "alice first", Cancel),
            bob.Client.SendTextAsync(alice.Name, "bob first", Cancel));
        await using var atAlice = Inbox.Open(alice.Client);
        await using var atBob = Inbox.Open(bob.Client);
        Assert.Equal("bob first", await atAlice.NextTextAsync(Cancel));
        Assert.Equal("alice first", await atBob.NextTextAsync(Cancel));

        for (var i = 0; i < 5; i++)
        {
            await alice.Client.SendTextAsync(bob.Name, $"from alice {i}", Cancel);
            Assert.Equal($"from alice {i}", await atBob.NextTextAsync(Cancel));
            await bob.Client.SendTextAsync(alice.Name, $"from bob {i}", Cancel);
            Assert.Equal($"from bob {i}", await atAlice.NextTextAsync(Cancel));
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_text_arrives_exactly_as_it_was_written()
    {
        string[] texts =
        [
            "",
            " ",
            "\n",
            "\0",
            "Grüße, мир, 世界, שלום",
            "e\u0301 is not composed on the way",
            "👩‍👩‍👧‍👦 🏳️‍🌈 \U0010FFFD",
            new string('x', 900 * 1024),
        ];
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");

        foreach (var text in texts)
        {
            await alice.Client.SendTextAsync(bob.Name, text, Cancel);
        }

        Assert.Equal(texts, await bob.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_text_that_fits_no_frame_is_refused_and_the_next_one_is_sent()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");

        var e = await Assert.ThrowsAsync<MessagingException>(
            () => alice.Client.SendTextAsync(bob.Name, new string('x', 1024 * 1024), Cancel));

        Assert.Equal(MessagingFailure.Refused, e.Failure);
        await alice.Client.SendTextAsync(bob.Name, "shorter", Cancel);
        await alice.ReopenAsync();
        Assert.Empty(await alice.ReadAllAsync(Cancel));
        Assert.Equal(["shorter"], await bob.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_text_that_fits_a_frame_for_one_device_but_not_for_two_is_refused()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        await using var phone = await Person.LinkAsync(fixture.Realm, bob, "phone", Cancel);

        var e = await Assert.ThrowsAsync<MessagingException>(
            () => alice.Client.SendTextAsync(bob.Name, new string('x', 600 * 1024), Cancel));

        Assert.Equal(MessagingFailure.Refused, e.Failure);
        await alice.Client.SendTextAsync(bob.Name, "shorter", Cancel);
        Assert.Equal(["shorter"], await phone.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_goes_to_every_device_of_its_recipient()
    {
        await using var alice = await JoinAsync("alice");
        await using var laptop = await JoinAsync("bob");
        await using var phone = await Person.LinkAsync(fixture.Realm, laptop, "phone", Cancel);

        var sent = await alice.Client.SendTextAsync(laptop.Name, "to both", Cancel);

        Assert.Equal(2, sent.Devices);
        Assert.NotEqual(laptop.Client.Device, phone.Client.Device);
        Assert.Equal(["to both"], await laptop.ReadAllAsync(Cancel));
        Assert.Equal(["to both"], await phone.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_device_that_joins_a_running_conversation_gets_what_is_sent_from_then_on()
    {
        await using var alice = await JoinAsync("alice");
        await using var laptop = await JoinAsync("bob");
        await alice.Client.SendTextAsync(laptop.Name, "before", Cancel);
        await using var phone = await Person.LinkAsync(fixture.Realm, laptop, "phone", Cancel);

        await alice.Client.SendTextAsync(laptop.Name, "after", Cancel);
        await phone.Client.SendTextAsync(alice.Name, "from the phone", Cancel);

        Assert.Equal(["before", "after"], await laptop.ReadAllAsync(Cancel));
        Assert.Equal(["after"], await phone.ReadAllAsync(Cancel));
        Assert.Equal(["from the phone"], await alice.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task Writing_to_oneself_reaches_ones_other_devices_or_nobody()
    {
        await using var laptop = await JoinAsync("alice");

        var e = await Assert.ThrowsAsync<MessagingException>(() => laptop.Client.SendTextAsync(laptop.Name, "note", Cancel));
        Assert.Equal(MessagingFailure.RecipientNotReady, e.Failure);

        await using var phone = await Person.LinkAsync(fixture.Realm, laptop, "phone", Cancel);
        await laptop.Client.SendTextAsync(laptop.Name, "note", Cancel);
        Assert.Equal(["note"], await phone.ReadAllAsync(Cancel));
        Assert.Empty(await laptop.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task Nobody_of_that_name_is_told_apart_from_somebody_who_never_logged_in()
    {
        await using var alice = await JoinAsync("alice");
        var registered = fixture.NewName("carol");
        await Person.RegisterAsync(fixture.Realm, registered, Cancel);

        var unknown = await Assert.ThrowsAsync<MessagingException>(
            () => alice.Client.SendTextAsync(fixture.NewName("nobody"), "hello?", Cancel));
        var notReady = await Assert.ThrowsAsync<MessagingException>(
            () => alice.Client.SendTextAsync(registered, "hello?", Cancel));

        Assert.Equal(MessagingFailure.UnknownRecipient, unknown.Failure);
        Assert.Equal(MessagingFailure.RecipientNotReady, notReady.Failure);

        // Once they have logged in they can be written to.
        await using var carol = await Person.LoginAsync(fixture.Realm, registered, "laptop", Cancel);
        await alice.Client.SendTextAsync(registered, "hello!", Cancel);
        Assert.Equal(["hello!"], await carol.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_name_is_found_however_its_case_is_written()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("Bob");

        await alice.Client.SendTextAsync(bob.Name.ToUpperInvariant(), "upper", Cancel);
        await alice.Client.SendTextAsync(bob.Name.ToLowerInvariant(), "lower", Cancel);

        Assert.Equal(["upper", "lower"], await bob.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task Both_sides_see_the_same_safety_number()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");

        var bobAtAlice = await alice.Client.GetContactAsync(bob.Name, Cancel);
        var aliceAtBob = await bob.Client.GetContactAsync(alice.Name, Cancel);

        Assert.Matches("^[0-9]{60}$", bobAtAlice.SafetyNumber.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(bobAtAlice.SafetyNumber, aliceAtBob.SafetyNumber);
        Assert.Equal(ContactVerification.Unverified, bobAtAlice.Verification);

        // A device that is linked changes nothing.
        await using var phone = await Person.LinkAsync(fixture.Realm, alice, "phone", Cancel);
        aliceAtBob = await bob.Client.GetContactAsync(alice.Name, Cancel);
        Assert.Equal(bobAtAlice.SafetyNumber, aliceAtBob.SafetyNumber);
        Assert.All(aliceAtBob.Devices, static device => Assert.Equal(DeviceStanding.Linked, device.Standing));
        Assert.Equal(aliceAtBob.SafetyNumber, (await alice.Client.GetContactAsync(bob.Name, Cancel)).SafetyNumber);
        Assert.Equal(aliceAtBob.SafetyNumber, (await phone.Client.GetContactAsync(bob.Name, Cancel)).SafetyNumber);
    }

    [Fact(Timeout = Patience)]
    public async Task A_verified_contact_stays_verified_with_a_new_device_which_gets_nothing_before_it_is_linked()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        alice.Client.MarkVerified(await alice.Client.GetContactAsync(bob.Name, Cancel));
        await alice.Client.SendTextAsync(bob.Name, "verified", Cancel);

        await using var phone = await Person.LoginAsync(fixture.Realm, bob.Name, "phone", Cancel);
        Assert.Equal(1, (await alice.Client.SendTextAsync(bob.Name, "not to the phone", Cancel)).Devices);
        await phone.Client.SendTextAsync(alice.Name, "from a device that anybody could have added", Cancel);
        var shown = Assert.Single(await ReceiveAllAsync(alice));
        Assert.Equal((MessageProblem.UnlinkedDevice, null), (shown.Problem, shown.Content));
        var contact = await alice.Client.GetContactAsync(bob.Name, Cancel);
        Assert.Equal(ContactVerification.Verified, contact.Verification);
        Assert.Equal(
            DeviceStanding.Unlinked, contact.Devices.Single(device => device.Device == phone.Client.Device).Standing);

        await phone.LinkToAsync(bob, Cancel);
        Assert.Equal(2, (await alice.Client.SendTextAsync(bob.Name, "to both", Cancel)).Devices);
        await phone.Client.SendTextAsync(alice.Name, "linked", Cancel);

        Assert.Equal(["to both"], await phone.ReadAllAsync(Cancel));
        Assert.Equal(["verified", "not to the phone", "to both"], await bob.ReadAllAsync(Cancel));
        Assert.Equal(["linked"], await alice.ReadAllAsync(Cancel));
        Assert.Equal(ContactVerification.Verified, (await alice.Client.GetContactAsync(bob.Name, Cancel)).Verification);

        // What came before is in the history now.
        Assert.Contains(
            alice.Client.ListHistory(bob.Name), static entry => entry.Content?.Text == "from a device that anybody could have added");
    }

    [Fact(Timeout = Patience)]
    public async Task What_one_device_sends_the_own_others_have_in_their_history()
    {
        await using var alice = await JoinAsync("alice");
        await using var phone = await Person.LinkAsync(fixture.Realm, alice, "phone", Cancel);
        await using var bob = await JoinAsync("bob");

        var sent = await alice.Client.SendTextAsync(bob.Name, "from the laptop", Cancel);

        Assert.Empty(await phone.ReadAllAsync(Cancel));
        var entry = Assert.Single(phone.Client.ListHistory(bob.Name));
        Assert.Equal((sent.Id, "from the laptop", true), (entry.Id, entry.Content?.Text, entry.IsOutgoing));
        Assert.Equal(["from the laptop"], await bob.ReadAllAsync(Cancel));
        Assert.Equal(sent.Id, Assert.Single(alice.Client.SearchHistory("LAPTOP")).Id);
    }

    [Fact(Timeout = Patience)]
    public async Task A_device_is_linked_only_by_one_that_was_given_its_code()
    {
        await using var alice = await JoinAsync("alice");
        await using var phone = await Person.LoginAsync(fixture.Realm, alice.Name, "phone", Cancel);
        await using var tablet = await Person.LoginAsync(fixture.Realm, alice.Name, "tablet", Cancel);
        await using var bob = await JoinAsync("bob");
        var code = phone.Client.StartLinking();

        await RefusedAsync(MessagingFailure.LinkRefused, () => alice.Client.ApproveDeviceAsync(code[..^1], Cancel));
        await RefusedAsync(MessagingFailure.LinkRefused, () => bob.Client.ApproveDeviceAsync(code, Cancel));
        await RefusedAsync(MessagingFailure.LinkRefused, () => tablet.Client.ApproveDeviceAsync(code, Cancel));
        await RefusedAsync(MessagingFailure.LinkRefused, () => phone.Client.ApproveDeviceAsync(code, Cancel));

        Assert.Empty(await phone.ReadAllAsync(Cancel));
        Assert.False(phone.Client.IsLinked);
    }

    private static async Task RefusedAsync(MessagingFailure failure, Func<Task> operation) =>
        Assert.Equal(failure, (await Assert.ThrowsAsync<MessagingException>(operation)).Failure);

    private static async Task<List<ReceivedMessage>> ReceiveAllAsync(Person person)
    {
        var messages = new List<ReceivedMessage>();
        await foreach (var message in person.Client.ReceiveAsync(follow: false, Cancel))
        {
            messages.Add(message);
        }

        return messages;
    }

    private Task<Person> JoinAsync(string name) => Person.JoinAsync(fixture.Realm, fixture.NewName(name), Cancel);
}
