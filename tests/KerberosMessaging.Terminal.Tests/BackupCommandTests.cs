namespace KerberosMessaging.Terminal.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a class that the rule does not look into.

/// <summary>How a device that is gone comes back.</summary>
public sealed class BackupCommandTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 180_000;

    private const string Passphrase = "eight words that nobody else has ever said";

    [Fact(Timeout = Patience)]
    public async Task A_device_is_backed_up_and_restored_on_another_machine()
    {
        await using var realm = await TestRealm.StartWithMessagesAsync();
        using var alice = await Person.JoinAsync(realm, "alice");
        using var bob = await Person.JoinAsync(realm, "bob");
        await alice.RunAsync(ExitCode.Ok, Person.Piped(), "send", "bob", "-m", "before");
        var device = Assert.Single(await alice.DevicesAsync());
        var backup = alice.Home.Beside("backup");

        var create = await alice.RunAsync(ExitCode.Ok, Person.Terminal($"{Passphrase}\n{Passphrase}\n"), "backup", "create", backup);
        Assert.Equal("Passphrase for the backup of alice: \nThe same again: \n", create.Prompted.ReplaceLineEndings("\n"));
        Assert.Equal("alice is backed up as of now; keep file and passphrase apart\n", create.Errors.ReplaceLineEndings("\n"));
        Assert.Empty(create.Written);

        using var machine = new Person(realm, "alice");
        var restore = await machine.RunAsync(
            ExitCode.Ok, Person.Terminal($"{Passphrase}\n{Person.Password}\n"), "backup", "restore", backup, "alice");
        Assert.Equal("Passphrase of the backup: \nPassword for alice: \n", restore.Prompted.ReplaceLineEndings("\n"));
        Assert.Equal(
            "logged in as alice, restored; do not use the device that the backup was made on any more\n",
            restore.Errors.ReplaceLineEndings("\n"));

        Assert.Equal([device], await machine.DevicesAsync());
        Assert.Equal("bob\tunverified\t1\t0\t0\n", await machine.OutputAsync("contacts", "list"));
        Assert.EndsWith("-> bob: before\n", await machine.OutputAsync("history"), StringComparison.Ordinal);
        await machine.RunAsync(ExitCode.Ok, Person.Piped(), "send", "bob", "-m", "after");
        Assert.EndsWith("alice: after\n", await bob.OutputAsync("receive"), StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience)]
    public async Task A_script_gives_passphrase_and_password_from_files_and_standard_input()
    {
        await using var realm = await TestRealm.StartAsync();
        using var alice = await Person.JoinAsync(realm, "alice");
        var passphrase = TempHome.Write(alice.Home.Beside("passphrase"), $"{Passphrase}\n");
        var backup = alice.Home.Beside("backup");
        using var machine = new Person(realm, "alice");

        await alice.RunAsync(ExitCode.Ok, Person.Piped(), "backup", "create", backup, "--passphrase-file", passphrase);
        await machine.RunAsync(
            ExitCode.Ok, Person.Piped(Person.Password), "backup", "restore", backup, "alice", "--passphrase-file", passphrase, "--password-stdin");

        Assert.Equal(await alice.DevicesAsync(), await machine.DevicesAsync());
    }

    [Fact(Timeout = Patience)]
    public async Task Nothing_that_is_there_is_replaced_and_nothing_is_asked_for_in_vain()
    {
        await using var realm = await TestRealm.StartAsync();
        using var alice = await Person.JoinAsync(realm, "alice");
        var backup = alice.Home.Beside("backup");
        await alice.RunAsync(ExitCode.Ok, Person.Piped(Passphrase), "backup", "create", backup, "--passphrase-stdin");
        var content = await File.ReadAllBytesAsync(backup, TestContext.Current.CancellationToken);
        var store = new FileInfo(alice.Home.PathOf("accounts", "alice", "store.db"));
        var device = await alice.DevicesAsync();

        var create = await alice.RunAsync(ExitCode.LocalProblem, Person.Terminal(), "backup", "create", backup);
        Assert.StartsWith($"kmsg: there is a file '{backup}' already\n", create.Errors.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Empty(create.Prompted);
        Assert.Equal(content, await File.ReadAllBytesAsync(backup, TestContext.Current.CancellationToken));

        var restore = await alice.RunAsync(ExitCode.LocalProblem, Person.Terminal(), "backup", "restore", backup, "Alice");
        Assert.StartsWith("kmsg: Alice has an account here already", restore.Errors, StringComparison.Ordinal);
        Assert.Empty(restore.Prompted);
        Assert.True(store.Exists);
        Assert.Equal(device, await alice.DevicesAsync());

        using var machine = new Person(realm, "alice");
        var missing = await machine.RunAsync(ExitCode.LocalProblem, Person.Terminal(), "backup", "restore", $"{backup}2", "alice");
        Assert.StartsWith($"kmsg: there is no backup '{backup}2'", missing.Errors, StringComparison.Ordinal);
        Assert.Empty(missing.Prompted);
    }

    [Fact(Timeout = Patience)]
    public async Task A_backup_that_does_not_open_leaves_nothing_behind()
    {
        await using var realm = await TestRealm.StartAsync();
        using var alice = await Person.JoinAsync(realm, "alice");
        var passphrase = TempHome.Write(alice.Home.Beside("passphrase"), Passphrase);
        var wrong = TempHome.Write(alice.Home.Beside("wrong"), "another one");
        var backup = alice.Home.Beside("backup");
        await alice.RunAsync(ExitCode.Ok, Person.Piped(), "backup", "create", backup, "--passphrase-file", passphrase);
        using var machine = new Person(realm, "alice");

        await RestoreAsync(ExitCode.LocalProblem, backup, "alice", wrong, Person.Password);
        await RestoreAsync(ExitCode.LocalProblem, wrong, "alice", passphrase, Person.Password);
        await RestoreAsync(ExitCode.LocalProblem, backup, "bob", passphrase, Person.Password);
        await RestoreAsync(ExitCode.LoginFailed, backup, "alice", passphrase, "not the password");
        await machine.RunAsync(ExitCode.NotLoggedIn, Person.Piped(), "devices", "list");
        await RestoreAsync(ExitCode.Ok, backup, "alice", passphrase, Person.Password);

        Task RestoreAsync(ExitCode expected, string file, string name, string opener, string password) => machine.RunAsync(
            expected, Person.Piped(password), "backup", "restore", file, name, "--passphrase-file", opener, "--password-stdin");
    }

    [Fact(Timeout = Patience)]
    public async Task Two_passphrases_that_differ_make_no_backup()
    {
        await using var realm = await TestRealm.StartAsync();
        using var alice = await Person.JoinAsync(realm, "alice");
        var backup = alice.Home.Beside("backup");

        var shell = await alice.RunAsync(ExitCode.Usage, Person.Terminal($"{Passphrase}\nanother\n"), "backup", "create", backup);

        Assert.Equal("kmsg: the two passphrases are not the same\n", shell.Errors.ReplaceLineEndings("\n"));
        Assert.False(File.Exists(backup));
    }
}
