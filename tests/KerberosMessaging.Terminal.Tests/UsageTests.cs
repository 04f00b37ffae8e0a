namespace KerberosMessaging.Terminal.Tests;

public sealed class UsageTests
{
    [Theory]
    [InlineData("which command?", "kmsg --help")]
    [InlineData("unknown command frobnicate", "kmsg --help", "frobnicate")]
    [InlineData("unknown option --nope", "kmsg --help", "--nope=secret")]
    [InlineData("which command?", "kmsg realm --help", "realm")]
    [InlineData("unknown command rename", "kmsg contacts --help", "contacts", "rename")]
    [InlineData("Required argument 'NAME' missing for command: 'send'", "kmsg send --help", "send")]
    [InlineData("Required argument missing for option: '-m'", "kmsg send --help", "send", "bob", "-m")]
    [InlineData("too many arguments for 'kmsg send'", "kmsg send --help", "send", "bob", "hello")]
    [InlineData("--timeout takes a number of seconds from 1 to 3600", "kmsg receive --help", "receive", "--timeout", "0")]
    [InlineData("--timeout takes a number of seconds from 1 to 3600", "kmsg receive --help", "receive", "--timeout", "soon")]
    [InlineData("give --password-file or --password-stdin, not both", "kmsg login --help", "login", "a", "--password-stdin", "--password-file", "x")]
    [InlineData("give --token-file or --token-stdin, not both", "kmsg register --help", "register", "a", "--token-stdin", "--token-file", "x")]
    [InlineData("give --password-stdin or --token-stdin, not both", "kmsg register --help", "register", "a", "--password-stdin", "--token-stdin")]
    [InlineData("give --password-stdin or --new-password-stdin, not both", "kmsg password change --help", "password", "change", "--password-stdin", "--new-password-stdin")]
    [InlineData("which command?", "kmsg devices --help", "devices")]
    [InlineData("which command?", "kmsg contacts --help", "contacts")]
    [InlineData("Required argument 'NAME' missing for command: 'verify'", "kmsg contacts verify --help", "contacts", "verify")]
    [InlineData("give --qr or --no-qr, not both", "kmsg contacts verify --help", "contacts", "verify", "bob", "--qr", "--no-qr")]
    [InlineData("give --qr or --json, not both", "kmsg devices link --help", "devices", "link", "--qr", "--json")]
    [InlineData("too many arguments for 'kmsg devices approve'", "kmsg devices approve --help", "devices", "approve", "ABCDE", "FGHIJ")]
    [InlineData("Required argument missing for option: '--device'", "kmsg contacts accept --help", "contacts", "accept", "bob", "--device")]
    [InlineData("--limit takes a number from 1 to 100000", "kmsg history --help", "history", "--limit", "0")]
    [InlineData("--limit takes a number from 1 to 100000", "kmsg history --help", "history", "--limit", "all")]
    [InlineData("which command?", "kmsg backup --help", "backup")]
    [InlineData("Required argument 'NAME' missing for command: 'restore'", "kmsg backup restore --help", "backup", "restore", "file")]
    [InlineData("give --passphrase-stdin or --password-stdin, not both", "kmsg backup restore --help", "backup", "restore", "f", "a", "--passphrase-stdin", "--password-stdin")]
    [InlineData("too many arguments for 'kmsg history'", "kmsg history --help", "history", "bob", "carol")]
    [InlineData(
        "an address is HOST:PORT, such as chat.example.org:1256 or [2001:db8::1]:1256", "kmsg realm add --help", "realm", "add", "host:port")]
    public async Task A_wrong_command_line_is_one_line_and_a_hint_on_standard_error(string message, string hint, params string[] args)
    {
        using var home = new TempHome();
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.Usage, await home.RunAsync(shell, args));

        Assert.Equal($"kmsg: {message}\nhint: {hint}\n", shell.Errors.ReplaceLineEndings("\n"));
        Assert.Empty(shell.Written);
    }

    [Theory]
    [InlineData("register", "alice", "hunter2")]
    [InlineData("login", "alice", "hunter2")]
    [InlineData("login", "alice", "--password", "hunter2")]
    [InlineData("login", "alice", "--password=hunter2")]
    [InlineData("login", "alice", "-phunter2")]
    [InlineData("register", "alice", "-p", "hunter2")]
    [InlineData("register", "alice", "--token", "hunter2")]
    [InlineData("register", "alice", "--token=hunter2")]
    [InlineData("password", "change", "hunter2")]
    [InlineData("password", "change", "--new-password", "hunter2")]
    [InlineData("password", "reset", "alice", "hunter2")]
    [InlineData("password", "reset", "alice", "--token", "hunter2")]
    public async Task A_password_is_never_an_argument_and_is_not_repeated(params string[] args)
    {
        using var home = new TempHome();
        home.WriteRealm();
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.Usage, await home.RunAsync(shell, args));

        Assert.Contains("hint: a password is typed at the prompt", shell.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", shell.Errors, StringComparison.Ordinal);
        Assert.Empty(shell.Written);
    }

    [Theory]
    [InlineData("backup", "create", "file", "hunter2")]
    [InlineData("backup", "create", "file", "--passphrase=hunter2")]
    [InlineData("backup", "restore", "file", "alice", "hunter2")]
    public async Task A_passphrase_is_never_an_argument_and_is_not_repeated(params string[] args)
    {
        using var home = new TempHome();
        home.WriteRealm();
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.Usage, await home.RunAsync(shell, args));

        Assert.Contains("hint: a passphrase is typed at the prompt", shell.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", shell.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("KMSG_PASSWORD")]
    [InlineData("PASSWORD")]
    public async Task A_password_is_never_taken_from_the_environment(string variable)
    {
        using var home = new TempHome();
        home.WriteRealm();
        var shell = new ScriptedShell { Environment = { [variable] = "hunter2" } };

        Assert.Equal(ExitCode.Usage, await home.RunAsync(shell, "login", "alice"));

        Assert.Contains("there is no terminal to ask for the password", shell.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_accepted_unasked()
    {
        using var home = new TempHome();
        home.WriteRealm();
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.Usage, await home.RunAsync(shell, "contacts", "accept", "bob"));

        Assert.Equal(
            "kmsg: there is no terminal to ask whether this is meant\nhint: give --yes\n", shell.Errors.ReplaceLineEndings("\n"));
    }

    // A text that begins with a dash or an @ is a text.
    [Theory]
    [InlineData("-m", "-hello")]
    [InlineData("-m", "--json")]
    [InlineData("-m", "@file")]
    [InlineData("-m=-x")]
    [InlineData("--message", "--help")]
    public async Task Any_text_can_be_sent(params string[] text)
    {
        using var home = new TempHome();
        home.WriteRealm();
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.NotLoggedIn, await home.RunAsync(shell, ["send", "bob", .. text]));
    }

    [Fact]
    public async Task Without_a_realm_the_first_thing_to_do_is_named()
    {
        using var home = new TempHome();
        foreach (var args in (string[][])[["register", "a"], ["login", "a"], ["tickets"], ["send", "a", "-m", "x"], ["receive"], ["history"], ["contacts", "list"], ["devices", "link"], ["realm", "show"]])
        {
            var shell = new ScriptedShell();

            Assert.Equal(ExitCode.Usage, await home.RunAsync(shell, args));

            Assert.StartsWith("kmsg: no realm is known yet", shell.Errors, StringComparison.Ordinal);
            Assert.Contains("hint: kmsg realm add HOST:PORT", shell.Errors, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(home.Path));
    }
}
