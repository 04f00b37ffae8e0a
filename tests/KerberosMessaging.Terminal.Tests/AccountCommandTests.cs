using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace KerberosMessaging.Terminal.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Registration, passwords and devices as scripts and people meet them, at a realm that is real.</summary>
public sealed partial class AccountCommandTests : IDisposable
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;

    private const string Password = "correct horse battery";
    private const string NewPassword = "staple correct horse";

    private readonly TempHome _home = new();

    public void Dispose() => _home.Dispose();

    [Fact(Timeout = Patience)]
    public async Task A_token_that_invites_comes_from_a_file_from_standard_input_or_from_the_prompt()
    {
        await using var realm = await RealmAsync("--Auth:Registration=Invite");
        var token = TempHome.Write(_home.Beside("token"), $"{await realm.InviteAsync()}\n");
        var fromInput = await realm.InviteAsync();
        var typed = await realm.InviteAsync();

        await RunAsync(ExitCode.Ok, Shell(), "register", "alice", "--password-file", PasswordFile(), "--token-file", token);
        await RunAsync(ExitCode.Ok, Shell(fromInput), "register", "bob", "--password-file", PasswordFile(), "--token-stdin");
        var prompts = new ScriptedShell { Keys = $"{Password}\n{Password}\n{typed}\n", Time = TimeProvider.System };
        await RunAsync(ExitCode.Ok, prompts, "register", "carol");

        Assert.Equal(
            "Password for carol: \nThe same again: \nThe realm asks for a token that invites you: \n",
            prompts.Prompted.ReplaceLineEndings("\n"));
        Assert.Empty(prompts.Written);
    }

    [Fact(Timeout = Patience)]
    public async Task A_realm_that_does_not_take_somebody_says_why()
    {
        await using var invited = await RealmAsync("--Auth:Registration=Invite");
        var shell = Shell();
        await RunAsync(ExitCode.Refused, shell, "register", "alice", "--password-file", PasswordFile());
        Assert.Equal(
            "kmsg: the realm asks for a one-time token, and there is none or it is not good: unknown, used, expired or made for another name\n"
            + "hint: the realm's administrator makes tokens; --token-file FILE or --token-stdin takes one\n",
            shell.Errors.ReplaceLineEndings("\n"));

        await using var closed = await RealmAsync("--Auth:Registration=Closed");
        shell = Shell();
        await RunAsync(ExitCode.Refused, shell, "register", "alice", "--password-file", PasswordFile());
        Assert.Equal(
            "kmsg: the realm takes no registrations\nhint: ask the realm's administrator\n", shell.Errors.ReplaceLineEndings("\n"));

        await using var strict = await RealmAsync("--Auth:MinimumPasswordLength=64");
        shell = Shell();
        await RunAsync(ExitCode.Usage, shell, "register", "alice", "--password-file", PasswordFile());
        Assert.Equal(
            "kmsg: the password is too short: the realm asks for at least 64 characters\n", shell.Errors.ReplaceLineEndings("\n"));
    }

    [Fact(Timeout = Patience)]
    public async Task A_password_is_changed_at_the_prompt_and_other_devices_must_log_in_again()
    {
        await using var realm = await RealmAsync();
        using var other = new TempHome();
        realm.WriteTo(other);
        await JoinAsync();
        await RunAsync(other, ExitCode.Ok, Shell(Password), "login", "alice", "--password-stdin");
        var shell = new ScriptedShell
        {
            Keys = $"{Password}\n{NewPassword}\n{NewPassword}\n",
            Time = TimeProvider.System,
            IsErrorTerminal = true,
        };

        await RunAsync(ExitCode.Ok, shell, "password", "change");

        Assert.Equal(
            "Current password of alice: \nNew password for alice: \nThe same again: \n", shell.Prompted.ReplaceLineEndings("\n"));
        Assert.Equal("the password of alice is changed\n", shell.Errors.ReplaceLineEndings("\n"));
        await RunAsync(ExitCode.Ok, Shell(), "devices", "list");
        await RunAsync(other, ExitCode.NotLoggedIn, Shell(), "devices", "list");
        await RunAsync(other, ExitCode.LoginFailed, Shell(Password), "login", "alice", "--password-stdin");
        await RunAsync(other, ExitCode.Ok, Shell(NewPassword), "login", "alice", "--password-stdin");
    }

    [Fact(Timeout = Patience)]
    public async Task A_password_is_changed_by_a_script_and_other_devices_stay_logged_in()
    {
        await using var realm = await RealmAsync();
        using var other = new TempHome();
        realm.WriteTo(other);
        await JoinAsync();
        await RunAsync(other, ExitCode.Ok, Shell(Password), "login", "alice", "--password-stdin");
        var replacement = TempHome.Write(_home.Beside("new-password"), NewPassword);

        await RunAsync(
            ExitCode.Ok, Shell(Password), "password", "change", "--keep-sessions", "--password-stdin", "--new-password-file", replacement);

        await RunAsync(other, ExitCode.Ok, Shell(), "devices", "list");
        var shell = Shell("a wrong password");
        await RunAsync(ExitCode.LoginFailed, shell, "password", "change", "--password-stdin", "--new-password-file", replacement);
        Assert.StartsWith("kmsg: the current password is wrong", shell.Errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience)]
    public async Task A_lost_password_is_reset_with_the_administrator_s_token()
    {
        await using var realm = await RealmAsync();
        await JoinAsync();
        var token = await realm.ResetAsync("alice");
        var shell = new ScriptedShell
        {
            Keys = $"{token}\n{NewPassword}\n{NewPassword}\n",
            Time = TimeProvider.System,
            IsErrorTerminal = true,
        };

        await RunAsync(ExitCode.Ok, shell, "password", "reset", "alice");

        Assert.Equal(
            "Token that resets the password of alice: \nNew password for alice: \nThe same again: \n",
            shell.Prompted.ReplaceLineEndings("\n"));
        var aside = Assert.Single(Directory.GetFiles(_home.PathOf("accounts", "alice"), "store.db.before-reset-*"));
        Assert.Equal(
            $"the old store is kept as {aside}\nthe password of alice is reset; log in with: kmsg login alice\n",
            shell.Errors.ReplaceLineEndings("\n"));
        await RunAsync(ExitCode.NotLoggedIn, Shell(), "tickets", "--as", "alice");
        await RunAsync(ExitCode.LoginFailed, Shell(Password), "login", "alice", "--password-stdin");
        await RunAsync(ExitCode.Ok, Shell(NewPassword), "login", "alice", "--password-stdin");

        // It was good once.
        var again = TempHome.Write(_home.Beside("token"), token);
        await RunAsync(
            ExitCode.Refused, Shell(Password), "password", "reset", "alice", "--token-file", again, "--new-password-stdin");
    }

    [Fact(Timeout = Patience)]
    public async Task Devices_are_listed_renamed_and_removed()
    {
        await using var realm = await RealmAsync();
        using var other = new TempHome();
        realm.WriteTo(other);
        await JoinAsync();
        await RunAsync(other, ExitCode.Ok, Shell(Password), "login", "alice", "--password-stdin");
        var shell = Shell();
        await RunAsync(ExitCode.Ok, shell, "devices", "list");
        var rows = shell.Written.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static row => row.TrimEnd().Split('\t')).ToList();
        Assert.Equal(["this", "other"], rows.Select(static row => row[4]));
        Assert.All(rows, static row => Assert.Matches("^[0-9a-f]{32}$", row[0]));
        var second = rows[1][0];

        await RunAsync(ExitCode.Ok, Shell(), "devices", "rename", second[..6].ToUpperInvariant(), "Büro");
        shell = Shell();
        await RunAsync(ExitCode.Ok, shell, "devices", "list", "--json");
        var devices = JsonDocument.Parse(shell.Written).RootElement.GetProperty("devices");
        Assert.Equal("Büro", devices[1].GetProperty("name").GetString());
        Assert.False(devices[1].GetProperty("isThisDevice").GetBoolean());
        Assert.Equal("linked", devices[0].GetProperty("standing").GetString());
        Assert.Equal("unlinked", devices[1].GetProperty("standing").GetString());

        // A person is asked; a script is not.
        await RunAsync(ExitCode.Interrupted, new ScriptedShell { Keys = "no\n", Time = TimeProvider.System }, "devices", "remove", second[..8]);
        await RunAsync(other, ExitCode.Ok, Shell(), "devices", "list");
        await RunAsync(ExitCode.Ok, new ScriptedShell { Keys = "yes\n", Time = TimeProvider.System }, "devices", "remove", second[..8]);
        await RunAsync(other, ExitCode.NotLoggedIn, Shell(), "devices", "list");
        await RunAsync(other, ExitCode.Refused, Shell(Password), "login", "alice", "--password-stdin");
        shell = Shell();
        await RunAsync(ExitCode.Refused, shell, "devices", "remove", second);
        Assert.Equal($"kmsg: there is no device {second}\nhint: kmsg devices list\n", shell.Errors.ReplaceLineEndings("\n"));

        // Whoever removes the device at hand is logged out on it.
        await RunAsync(ExitCode.Ok, Shell(), "devices", "remove", rows[0][0]);
        shell = Shell();
        await RunAsync(ExitCode.NotLoggedIn, shell, "devices", "list");
        Assert.StartsWith("kmsg: alice is not logged in here", shell.Errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience)]
    public async Task People_see_their_devices_as_a_table()
    {
        await using var realm = await RealmAsync();
        await JoinAsync();
        var shell = new ScriptedShell { IsOutputTerminal = true, Time = TimeProvider.System };

        await RunAsync(ExitCode.Ok, shell, "devices", "list");

        var lines = Colour().Replace(shell.Written, "").ReplaceLineEndings("\n").TrimEnd().Split('\n').Select(static line => line.TrimEnd()).ToList();
        Assert.Matches("^Device    Name +Added +Last seen +Linked$", lines[0]);
        Assert.Matches(
            $@"^[0-9a-f]{{8}}  {Regex.Escape(Environment.MachineName)} +\d{{4}}-\d\d-\d\d \d\d:\d\d  \d{{4}}-\d\d-\d\d \d\d:\d\d  linked  this device$", lines[1]);
        Assert.Equal(2, lines.Count);
    }

    [Fact(Timeout = Patience)]
    public async Task Who_fails_too_often_has_an_exit_code_of_its_own()
    {
        await using var realm = await RealmAsync("--Lockout:FreeFailures=1", "--Lockout:FirstDelay=00:30:00", "--Lockout:LongestDelay=01:00:00");
        await RunAsync(ExitCode.Ok, Shell(Password), "register", "alice", "--password-stdin");
        await RunAsync(ExitCode.LoginFailed, Shell(NewPassword), "login", "alice", "--password-stdin");
        ScriptedShell shell;
        ExitCode code;
        do
        {
            // The failure counts once the server has seen the connection end.
            shell = Shell(NewPassword);
            code = await _home.RunAsync(shell, "login", "alice", "--password-stdin");
        }
        while (code == ExitCode.LoginFailed);

        Assert.Equal(ExitCode.TooManyRequests, code);
        Assert.Matches("^kmsg: too many failed logins or requests; try again in [0-9]+ s", shell.Errors);
    }

    private static ScriptedShell Shell(string input = "") => new()
    {
        Input = new MemoryStream(Encoding.UTF8.GetBytes(input)),
        Time = TimeProvider.System,
    };

    private static async Task RunAsync(TempHome home, ExitCode expected, ScriptedShell shell, params string[] args)
    {
        var code = await home.RunAsync(shell, [.. args, "--timeout", "60"]);
        Assert.True(code == expected, $"{string.Join(' ', args)}: {code} instead of {expected}\n{shell.Errors}");
    }

    private Task RunAsync(ExitCode expected, ScriptedShell shell, params string[] args) => RunAsync(_home, expected, shell, args);

    private async Task JoinAsync()
    {
        await RunAsync(ExitCode.Ok, Shell(Password), "register", "alice", "--password-stdin");
        await RunAsync(ExitCode.Ok, Shell(Password), "login", "alice", "--password-stdin");
    }

    private async Task<TestRealm> RealmAsync(params string[] args)
    {
        var realm = await TestRealm.StartAsync(args);
        realm.WriteTo(_home);
        return realm;
    }

    private string PasswordFile() => TempHome.Write(_home.Beside("password"), Password);

    // Whether there are any depends on the terminal that the tests run in.
    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colour();
}
