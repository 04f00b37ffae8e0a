using System.Text.Json;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a class that the rule does not look into.

/// <summary>How a second device is linked, with messages that are real.</summary>
public sealed class LinkCommandTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 180_000;

    private const string Unlinked = "this device is not linked: contacts do not accept its messages; run 'kmsg devices link'";

    [Fact(Timeout = Patience)]
    public async Task A_device_is_linked_with_the_code_that_it_shows()
    {
        await using var realm = await TestRealm.StartWithMessagesAsync();
        using var alice = await Person.JoinAsync(realm, "alice");
        using var bob = await Person.JoinAsync(realm, "bob");
        using var laptop = new Person(realm, "alice");
        var login = await laptop.RunAsync(ExitCode.Ok, Person.Terminal($"{Person.Password}\n"), "login", "alice");
        Assert.Equal($"logged in as alice\n{Unlinked}\n", login.Errors.ReplaceLineEndings("\n"));

        var output = new LineWriter();
        var linking = laptop.RunAsync(ExitCode.Ok, Scripted(output), "devices", "link", "--json");
        using var shown = JsonDocument.Parse(await output.NextAsync());
        var code = shown.RootElement.GetProperty("code").GetString()!;
        var approved = await alice.OutputAsync("devices", "approve", code.ToLowerInvariant());

        var device = shown.RootElement.GetProperty("device").GetString()!;
        Assert.Matches($@"^device {device[..8]} \(.+\) is linked\n$", approved);
        await linking;
        using var linked = JsonDocument.Parse(await output.NextAsync());
        Assert.Equal(device, linked.RootElement.GetProperty("device").GetString());
        Assert.True(linked.RootElement.GetProperty("linked").GetBoolean());
        foreach (var one in (Person[])[alice, laptop])
        {
            var rows = (await one.OutputAsync("devices", "list")).TrimEnd().Split('\n');
            Assert.All(rows, static row => Assert.EndsWith("\tlinked", row, StringComparison.Ordinal));
            Assert.Equal(2, rows.Length);
        }

        // Its messages are taken for alice's, and those to her come to it.
        Assert.DoesNotContain(
            "not linked", (await laptop.RunAsync(ExitCode.Ok, Person.Terminal(), "send", "bob", "-m", "from my laptop")).Errors, StringComparison.Ordinal);
        Assert.EndsWith("alice: from my laptop\n", await bob.OutputAsync("receive"), StringComparison.Ordinal);
        await bob.RunAsync(ExitCode.Ok, Person.Piped(), "send", "alice", "-m", "to both");
        Assert.EndsWith("bob: to both\n", await laptop.OutputAsync("receive"), StringComparison.Ordinal);
        Assert.EndsWith("bob: to both\n", await alice.OutputAsync("receive"), StringComparison.Ordinal);

        // It can be linked no further.
        var again = await laptop.RunAsync(ExitCode.Refused, Person.Piped(), "devices", "link");
        Assert.StartsWith("kmsg: this device is linked already", again.Errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience)]
    public async Task A_person_sees_the_code_as_a_qr_code_and_may_go_before_it_is_used()
    {
        await using var realm = await TestRealm.StartWithMessagesAsync();
        using var alice = await Person.JoinAsync(realm, "alice");
        using var laptop = await Person.LoginAsync(realm, "alice");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var output = new LineWriter();
        var linking = laptop.Home.RunAsync(Scripted(output, isTerminal: true), stop.Token, "devices", "link", "--qr");
        Assert.Equal("Link code, to be shown to nobody else:", await output.NextAsync());
        await output.NextAsync();
        var code = (await output.NextAsync()).Trim();
        Assert.Matches("^[A-Z2-7]{5}(-[A-Z2-7]{5}){7}$", code);
        await stop.CancelAsync();
        Assert.Equal(ExitCode.Interrupted, await linking);

        // The code is still good: typed, with a terminal's question.
        var approve = await alice.RunAsync(ExitCode.Ok, Person.Terminal($"{code}\n"), "devices", "approve");
        Assert.Equal($"Code that the new device shows: {code}\n", approve.Prompted.ReplaceLineEndings("\n"));
        Assert.Empty(await laptop.OutputAsync("receive"));
        Assert.EndsWith("\tthis\tlinked", (await laptop.OutputAsync("devices", "list")).TrimEnd(), StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience)]
    public async Task The_code_is_printed_alone_to_a_script_and_taken_from_one()
    {
        await using var realm = await TestRealm.StartWithMessagesAsync();
        using var alice = await Person.JoinAsync(realm, "alice");
        using var bob = await Person.JoinAsync(realm, "bob");
        using var laptop = await Person.LoginAsync(realm, "alice");
        await bob.RunAsync(
            ExitCode.Ok, Person.Piped(), "contacts", "accept", "alice", "--device", (await alice.DevicesAsync())[1], "--yes");
        await bob.RunAsync(ExitCode.Ok, Person.Piped(), "send", "alice", "-m", "for later");
        var output = new LineWriter();
        var linking = laptop.RunAsync(ExitCode.Ok, Scripted(output), "devices", "link", "--qr");
        var code = await output.NextAsync();
        foreach (var line in QrCode.LinesOf(code))
        {
            Assert.Equal(line, await output.NextAsync());
        }

        // What is no code, or no device's, links nothing.
        foreach (var (input, message) in ((string, string)[])
            [("ABCDE", "a link code has 40 letters and digits"), (Flip(code), "no device of this account made that code")])
        {
            var refused = await alice.RunAsync(ExitCode.Refused, Person.Piped(input), "devices", "approve");
            Assert.StartsWith($"kmsg: {message}", refused.Errors, StringComparison.Ordinal);
            Assert.Contains("hint: 'kmsg devices link' on the new device", refused.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain(input, refused.Errors, StringComparison.Ordinal);
        }

        await alice.RunAsync(ExitCode.Usage, Person.Piped(), "devices", "approve");
        var unlinked = await laptop.RunAsync(ExitCode.Refused, Person.Piped(code), "devices", "approve");
        Assert.StartsWith("kmsg: this device made that code itself", unlinked.Errors, StringComparison.Ordinal);

        await alice.RunAsync(ExitCode.Ok, Person.Piped($"{code}\n"), "devices", "approve");
        await linking;

        // What came before the link was received with it, and is not read.
        Assert.EndsWith("bob: for later\n", await laptop.OutputAsync("receive"), StringComparison.Ordinal);
    }

    // The first character is of the device's fingerprint.
    private static string Flip(string code) => (code[0] == 'A' ? 'B' : 'A') + code[1..];

    private static ScriptedShell Scripted(TextWriter output, bool isTerminal = false) => new()
    {
        Output = output,
        IsOutputTerminal = isTerminal,
        Time = TimeProvider.System,
    };
}
