namespace KerberosMessaging.Terminal.Tests;

/// <summary>Which account a command is for, and what it finds there.</summary>
public sealed class AccountTests : IDisposable
{
    private readonly TempHome _home = new();

    public AccountTests() => _home.WriteRealm();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task Without_accounts_nobody_is_logged_in()
    {
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.NotLoggedIn, await _home.RunAsync(shell, "tickets"));

        Assert.Equal("kmsg: nobody has logged in here yet\nhint: kmsg login NAME\n", shell.Errors.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task The_only_account_is_taken_unasked()
    {
        AddAccount("alice");
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.NotLoggedIn, await _home.RunAsync(shell, "tickets"));

        Assert.Equal("kmsg: alice is not logged in here\nhint: kmsg login alice\n", shell.Errors.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task Of_several_accounts_one_must_be_named()
    {
        AddAccount("bob");
        AddAccount("alice");
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.Usage, await _home.RunAsync(shell, "tickets"));

        Assert.Equal(
            "kmsg: there are several accounts: alice, bob\nhint: say which one with --as NAME or KMSG_USER\n",
            shell.Errors.ReplaceLineEndings("\n"));
    }

    [Theory]
    [InlineData("bob", null, "BOB", "bob")]
    [InlineData("", "alice", "alice", "alice")]
    [InlineData("", "alice", "bob", "alice")]
    public async Task The_option_comes_before_the_variable(string? variable, string? option, string other, string expected)
    {
        AddAccount("alice");
        AddAccount("bob");
        var shell = new ScriptedShell { Environment = { ["KMSG_USER"] = option is null ? variable! : other } };

        Assert.Equal(
            ExitCode.NotLoggedIn, await _home.RunAsync(shell, option is null ? ["tickets"] : ["tickets", "--as", option]));

        Assert.StartsWith($"kmsg: {expected} is not logged in here", shell.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task A_name_that_cannot_be_one_is_refused(string name)
    {
        AddAccount("alice");

        Assert.Equal(ExitCode.Usage, await _home.RunAsync(new ScriptedShell(), "tickets", "--as", name));
    }

    [Fact]
    public async Task A_damaged_session_file_is_a_local_problem()
    {
        AddAccount("alice");
        TempHome.Write(_home.PathOf("accounts", "alice", "session"), "");
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.LocalProblem, await _home.RunAsync(shell, "tickets"));

        Assert.Contains("kmsg login", shell.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logout_removes_the_session_even_when_it_cannot_be_used()
    {
        AddAccount("alice");
        var session = TempHome.Write(_home.PathOf("accounts", "alice", "session"), "");

        Assert.Equal(ExitCode.LocalProblem, await _home.RunAsync(new ScriptedShell(), "logout"));

        Assert.False(File.Exists(session));
        Assert.Equal(ExitCode.NotLoggedIn, await _home.RunAsync(new ScriptedShell(), "logout"));
    }

    [Theory]
    [InlineData("does not exist", null)]
    [InlineData("is shorter than 32 bytes", 31)]
    [InlineData("is longer than 65536 bytes", 65537)]
    public async Task A_key_file_that_is_none_is_a_local_problem(string reason, int? length)
    {
        AddAccount("alice");
        var file = _home.Beside("key");
        if (length is { } size)
        {
            TempHome.Write(file, new string('k', size));
        }

        foreach (var args in (string[][])[["tickets"], ["login", "alice"]])
        {
            var shell = new ScriptedShell();

            Assert.Equal(ExitCode.LocalProblem, await _home.RunAsync(shell, [.. args, "--key-file", file]));

            Assert.StartsWith($"kmsg: the key file '{file}' {reason}", shell.Errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_key_file_makes_no_account()
    {
        var file = TempHome.Write(_home.Beside("key"), new string('k', 32));

        Assert.Equal(ExitCode.NotLoggedIn, await _home.RunAsync(new ScriptedShell(), "tickets", "--as", "alice", "--key-file", file));

        Assert.False(Directory.Exists(_home.PathOf("accounts")));
    }

    [Theory]
    [InlineData("12345")]
    [InlineData("12345 12345 12345 12345 12345 12345 12345 12345 12345 12345 12345 1234x")]
    public async Task A_safety_number_has_sixty_digits(string digits)
    {
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.Usage, await _home.RunAsync(shell, "contacts", "verify", "bob", "--yes-i-compared", digits));

        Assert.StartsWith("kmsg: a safety number has 60 digits", shell.Errors, StringComparison.Ordinal);
    }

    private void AddAccount(string name) => TempHome.Write(_home.PathOf("accounts", name, "store.db"), "");
}
