using System.Text.Json;
using System.Text.RegularExpressions;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a class that the rule does not look into.

/// <summary>Contacts and history as scripts and people meet them, with messages that are real.</summary>
public sealed partial class ConversationCommandTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 180_000;

    [Fact(Timeout = Patience)]
    public async Task Contacts_are_listed_and_verified()
    {
        await using var realm = await TestRealm.StartWithMessagesAsync();
        using var alice = await Person.JoinAsync(realm, "alice");
        using var bob = await Person.JoinAsync(realm, "bob");
        Assert.Empty(await alice.OutputAsync("contacts", "list"));

        await alice.RunAsync(ExitCode.Ok, Person.Piped(), "send", "bob", "-m", "hello");

        Assert.Equal("bob\tunverified\t1\t0\t0\n", await alice.OutputAsync("contacts", "list"));
        var table = await alice.RunAsync(ExitCode.Ok, Person.Terminal(), "contacts", "list");
        Assert.Matches(@"^Name +State +Devices\s+bob +unverified +1 linked\s*$", Colour().Replace(table.Written, ""));

        // A person compares; the camera of a phone reads the digits.
        var shell = await alice.RunAsync(ExitCode.Ok, Person.Terminal("yes\n"), "contacts", "verify", "bob");
        var digits = DigitsOf(shell.Written);
        Assert.Contains(
            string.Join('\n', QrCode.LinesOf(digits)),
            Colour().Replace(shell.Written, "").ReplaceLineEndings("\n"),
            StringComparison.Ordinal);
        Assert.Equal("bob is verified\n", shell.Errors.ReplaceLineEndings("\n"));

        // A script compares as well, and gets a code only when it asks.
        var piped = await bob.OutputAsync("contacts", "verify", "alice");
        Assert.Equal(digits, DigitsOf(piped));
        Assert.DoesNotContain('█', piped);
        Assert.Contains('█', await bob.OutputAsync("contacts", "verify", "alice", "--qr"));
        var plain = await bob.RunAsync(ExitCode.Ok, Person.Terminal("yes\n"), "contacts", "verify", "alice", "--no-qr");
        Assert.DoesNotContain('█', plain.Written);
        await bob.RunAsync(ExitCode.Ok, Person.Piped(), "contacts", "verify", "alice", "--yes-i-compared", digits);
        using var json = JsonDocument.Parse(await bob.OutputAsync("contacts", "list", "--json"));
        var contact = json.RootElement.GetProperty("contacts")[0];
        Assert.Equal("verified", contact.GetProperty("state").GetString());
        Assert.Equal("linked", contact.GetProperty("devices")[0].GetProperty("standing").GetString());
    }

    [Fact(Timeout = Patience)]
    public async Task A_changed_identity_is_written_to_once_it_is_accepted()
    {
        await using var realm = await TestRealm.StartWithMessagesAsync();
        using var alice = await Person.JoinAsync(realm, "alice");
        using var bob = await Person.JoinAsync(realm, "bob");
        await alice.RunAsync(ExitCode.Ok, Person.Piped(), "send", "bob", "-m", "hello");
        var before = await alice.RunAsync(ExitCode.Ok, Person.Terminal(), "contacts", "accept", "bob", "--yes");
        Assert.Equal("the identity of bob has not changed: there is nothing to accept\n", before.Errors.ReplaceLineEndings("\n"));
        var digits = DigitsOf(await alice.OutputAsync("contacts", "verify", "bob"));
        await alice.RunAsync(ExitCode.Ok, Person.Piped(), "contacts", "verify", "bob", "--yes-i-compared", digits);
        await ResetAsync(realm, bob);

        // The realm is asked anew, which the next look-up of a message would do in time.
        Assert.Contains("(changed)", await alice.OutputAsync("contacts", "verify", "bob"), StringComparison.Ordinal);
        Assert.Equal("bob\tchanged\t0\t0\t1\n", await alice.OutputAsync("contacts", "list"));
        var refused = await alice.RunAsync(ExitCode.Untrusted, Person.Piped(), "send", "bob", "-m", "still you?");
        Assert.Contains("'kmsg contacts verify NAME'", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("'kmsg contacts accept NAME'", refused.Errors, StringComparison.Ordinal);

        // A person is told what it means, and may say no.
        var hesitant = await alice.RunAsync(ExitCode.Interrupted, Person.Terminal("no\n"), "contacts", "accept", "bob");
        Assert.Contains("compare the safety number instead: kmsg contacts verify bob", hesitant.Prompted, StringComparison.Ordinal);
        Assert.Equal("bob\tchanged\t0\t0\t1\n", await alice.OutputAsync("contacts", "list"));

        var sure = await alice.RunAsync(ExitCode.Ok, Person.Terminal("yes\n"), "contacts", "accept", "bob");
        Assert.Equal("the new identity of bob is accepted, and not verified\n", sure.Errors.ReplaceLineEndings("\n"));
        Assert.Equal("bob\tunverified\t1\t0\t0\n", await alice.OutputAsync("contacts", "list"));
        await alice.RunAsync(ExitCode.Ok, Person.Piped(), "send", "bob", "-m", "good to have you back");
        Assert.EndsWith("alice: good to have you back\n", await bob.OutputAsync("receive"), StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience)]
    public async Task A_device_that_is_not_linked_is_warned_of_and_can_be_accepted()
    {
        await using var realm = await TestRealm.StartWithMessagesAsync();
        using var alice = await Person.JoinAsync(realm, "alice");
        using var bob = await Person.JoinAsync(realm, "bob");
        using var laptop = await Person.LoginAsync(realm, "bob");
        var device = (await bob.DevicesAsync())[1];

        // Its owner is told, too, but a script is not.
        const string Unlinked = "this device is not linked: contacts do not accept its messages; run 'kmsg devices link'";
        Assert.Contains(Unlinked, (await laptop.RunAsync(ExitCode.Ok, Person.Terminal(), "send", "alice", "-m", "from afar")).Errors, StringComparison.Ordinal);
        Assert.Contains(Unlinked, (await laptop.RunAsync(ExitCode.Ok, Person.Terminal(), "receive")).Errors, StringComparison.Ordinal);
        Assert.Empty((await laptop.RunAsync(ExitCode.Ok, Person.Piped(), "receive")).Errors);
        Assert.Empty((await bob.RunAsync(ExitCode.Ok, Person.Terminal(), "receive")).Errors);

        Assert.EndsWith(
            "bob: [not shown: from a device of bob that is not linked; 'kmsg contacts verify bob' tells more]\n",
            await alice.OutputAsync("receive"),
            StringComparison.Ordinal);
        var verify = await alice.RunAsync(ExitCode.Ok, Person.Piped(), "contacts", "verify", "bob");
        Assert.Matches($@"Devices that are not linked:\s+{device[..8]}  first seen \d{{4}}-\d\d-\d\d \d\d:\d\d", verify.Written);
        Assert.StartsWith("kmsg: warning: 1 device of bob is not linked: ", verify.Errors, StringComparison.Ordinal);
        Assert.Contains($"kmsg contacts accept bob --device {device[..8]}", verify.Errors, StringComparison.Ordinal);

        await alice.RunAsync(ExitCode.Usage, Person.Piped(), "contacts", "accept", "bob", "--device", device);
        await alice.RunAsync(ExitCode.Usage, Person.Piped(), "contacts", "accept", "bob", "--device", "xyz", "--yes");
        await alice.RunAsync(ExitCode.Refused, Person.Piped(), "contacts", "accept", "bob", "--device", "0000000000000000", "--yes");
        await alice.RunAsync(ExitCode.Interrupted, Person.Terminal("no\n"), "contacts", "accept", "bob", "--device", device[..8]);
        await alice.RunAsync(ExitCode.Ok, Person.Terminal("yes\n"), "contacts", "accept", "bob", "--device", device[..8]);

        Assert.Equal("bob\tunverified\t1\t1\t0\n", await alice.OutputAsync("contacts", "list"));
        Assert.EndsWith("<- bob: from afar\n", await alice.OutputAsync("history"), StringComparison.Ordinal);
        await alice.RunAsync(ExitCode.Ok, Person.Piped(), "send", "bob", "-m", "to all of you");
        Assert.EndsWith("alice: to all of you\n", await laptop.OutputAsync("receive"), StringComparison.Ordinal);
        var again = await alice.RunAsync(ExitCode.Ok, Person.Terminal(), "contacts", "accept", "bob", "--device", device[..8], "--yes");
        Assert.Equal($"device {device[..8]} of bob is accepted already\n", again.Errors.ReplaceLineEndings("\n"));
    }

    [Fact(Timeout = Patience)]
    public async Task The_history_is_printed_and_searched_without_servers()
    {
        var realm = await TestRealm.StartWithMessagesAsync();
        using var alice = await Person.JoinAsync(realm, "alice");
        using var bob = await Person.JoinAsync(realm, "bob");
        using var carol = await Person.JoinAsync(realm, "carol");
        await alice.RunAsync(ExitCode.Ok, Person.Piped(), "send", "bob", "-m", "Shall we meet?");
        await bob.RunAsync(ExitCode.Ok, Person.Piped(), "receive");
        await bob.RunAsync(ExitCode.Ok, Person.Piped(), "send", "alice", "-m", "Let us MEET at nine");
        await alice.RunAsync(ExitCode.Ok, Person.Piped(), "send", "carol", "-m", "meet us there");
        await alice.RunAsync(ExitCode.Ok, Person.Piped(), "receive");
        await realm.DisposeAsync();

        Assert.Equal(
            ["-> bob: Shall we meet?", "-> carol: meet us there", "<- bob: Let us MEET at nine"],
            LinesOf(await alice.OutputAsync("history")));
        Assert.Equal(
            ["-> bob: Shall we meet?", "<- bob: Let us MEET at nine"], LinesOf(await alice.OutputAsync("history", "Bob")));
        Assert.Equal(["<- bob: Let us MEET at nine"], LinesOf(await alice.OutputAsync("history", "--limit", "1")));
        Assert.Equal(
            ["-> carol: meet us there", "<- bob: Let us MEET at nine"], LinesOf(await alice.OutputAsync("history", "--search", "Meet", "--limit", "2")));
        Assert.Equal(["<- bob: Let us MEET at nine"], LinesOf(await alice.OutputAsync("history", "bob", "--search", "nine")));
        Assert.Empty(await alice.OutputAsync("history", "--search", "ten"));
        var entries = (await alice.OutputAsync("history", "bob", "--json"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => JsonDocument.Parse(line).RootElement)
            .ToList();
        Assert.Equal(["out", "in"], entries.Select(static entry => entry.GetProperty("direction").GetString()));
        Assert.Equal("Shall we meet?", entries[0].GetProperty("text").GetString());

        await alice.RunAsync(ExitCode.UnknownRecipient, Person.Piped(), "history", "dave");
        var empty = await alice.RunAsync(ExitCode.Usage, Person.Piped(), "history", "--search", "");
        Assert.StartsWith("kmsg: there is nothing to search for", empty.Errors, StringComparison.Ordinal);
    }

    private static async Task ResetAsync(TestRealm realm, Person bob)
    {
        var token = TempHome.Write(bob.Home.Beside("token"), await realm.ResetAsync("bob"));
        await bob.RunAsync(
            ExitCode.Ok, Person.Piped(Person.Password), "password", "reset", "bob", "--token-file", token, "--new-password-stdin");
        await bob.LoginAsync();
    }

    private static string DigitsOf(string verified) =>
        string.Concat(Digits().Matches(verified).Select(static group => group.Value.Trim()));

    // What stands behind the time.
    private static IEnumerable<string> LinesOf(string history) =>
        history.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line["2026-11-23 10:11:12  ".Length..]);

    [GeneratedRegex(@"\b\d{5}\b")]
    private static partial Regex Digits();

    // Whether there are any depends on the terminal that the tests run in.
    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colour();
}
