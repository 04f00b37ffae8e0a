using System.CommandLine;
using KerberosMessaging.Client;
using KerberosMessaging.Terminal.Home;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg backup</c>: this device in a file, for the day when the machine is gone.</summary>
internal static class BackupCommand
{
    private static PasswordOptions Passphrase => new("passphrase", "--passphrase");

    public static Command Create(IShell shell, CommonOptions common) => new("backup", "Back this device up, with its contacts and messages.")
    {
        CreateCreate(shell, common),
        CreateRestore(shell, common),
    };

    private static Command CreateCreate(IShell shell, CommonOptions common)
    {
        var file = new Argument<string>("FILE") { Description = "A file that does not exist yet." };
        var passphrase = Passphrase;
        var command = new Command(
            "create", "Write an encrypted backup. Whoever has the file and its passphrase has this device's keys, contacts and messages.")
        {
            file,
            common.KeyFile,
        };
        passphrase.AddTo(command);
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);
            var path = parsed.GetRequiredValue(file);

            // Opened, and looked for, before the passphrase is asked for, which would be for nothing if this failed.
            await using var client = context.Open();
            if (Path.Exists(path))
            {
                throw CommandException.Local($"there is a file '{path}' already", "a backup replaces no file: give another name");
            }

            using var secret = await passphrase.ReadAsync(parsed, shell, $"Passphrase for the backup of {client.Name}: ", twice: true, token);
            await client.CreateBackupAsync(path, secret, token);
            context.Tell($"{SafeText.OfLine(client.Name)} is backed up as of now; keep file and passphrase apart");
            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateRestore(IShell shell, CommonOptions common)
    {
        var file = new Argument<string>("FILE") { Description = "The backup." };
        var name = new Argument<string>("NAME") { Description = "The account's name." };
        var passphrase = Passphrase;
        var password = new PasswordOptions();
        var command = new Command(
            "restore", "Log in as the device that the backup was made on. Only one of the two may be used from then on.")
        {
            file,
            name,
            common.KeyFile,
        };
        PasswordOptions.AddTo(command, passphrase, password);
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);
            var realm = context.Home.Realm.Require();
            var path = parsed.GetRequiredValue(file);
            var wanted = parsed.GetRequiredValue(name);
            var account = context.Home.Accounts.Get(wanted);
            if (account.HasStore)
            {
                throw CommandException.Local(
                    $"{wanted} has an account here already", "a backup replaces nothing: give another folder with --home DIR, or move the account's store away");
            }

            if (!File.Exists(path))
            {
                throw CommandException.Local($"there is no backup '{path}'");
            }

            using var outerKey = parsed.GetValue(common.KeyFile) is { } keyFile ? KeyFile.Read(keyFile, shell.Error) : null;
            using var opener = await passphrase.ReadAsync(parsed, shell, "Passphrase of the backup: ", twice: false, token);
            using var secret = await password.ReadAsync(parsed, shell, $"Password for {wanted}: ", twice: false, token);
            await using var client = await MessagingClient.RestoreAsync(
                realm, wanted, secret, path, opener, context.Options(account), outerKey, token);
            using var storeKey = client.CopyStoreKey();
            account.Session.Save(storeKey);
            context.Tell($"logged in as {SafeText.OfLine(client.Name)}, restored; do not use the device that the backup was made on any more");
            context.TellIfUnlinked(client);
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
