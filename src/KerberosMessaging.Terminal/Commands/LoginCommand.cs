using System.CommandLine;
using KerberosMessaging.Client;
using KerberosMessaging.Terminal.Home;
using KerberosMessaging.Terminal.Interaction;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg login</c>: proves the password once and keeps what it opens until logout.</summary>
internal static class LoginCommand
{
    public static Command Create(IShell shell, CommonOptions common)
    {
        var name = new Argument<string>("NAME") { Description = "The account's name." };
        var password = new PasswordOptions();
        var command = new Command("login", "Log in, until logout or until the ticket can be renewed no more.") { name, common.KeyFile };
        password.AddTo(command);
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);
            var realm = context.Home.Realm.Require();
            var wanted = parsed.GetRequiredValue(name);
            var account = context.Home.Accounts.Get(wanted);

            // Before the password is asked for, which would be for nothing if this failed.
            using var outerKey = parsed.GetValue(common.KeyFile) is { } keyFile ? KeyFile.Read(keyFile, shell.Error) : null;
            using var secret = await password.ReadAsync(parsed, shell, $"Password for {wanted}: ", twice: false, token);
            await using var client = await context.InTimeAsync(
                limited => MessagingClient.LoginAsync(realm, wanted, secret, context.Options(account), outerKey, limited), token);
            using var storeKey = client.CopyStoreKey();
            account.Session.Save(storeKey);
            context.Tell($"logged in as {client.Name}");
            context.TellIfUnlinked(client);
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
