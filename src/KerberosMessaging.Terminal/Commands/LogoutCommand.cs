using System.CommandLine;
using KerberosMessaging.Terminal.Interaction;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg logout</c>: ends the login here and at the realm.</summary>
internal static class LogoutCommand
{
    public static Command Create(IShell shell, CommonOptions common)
    {
        var everywhere = new Option<bool>("--everywhere") { Description = "End the logins on all devices of the account." };
        var command = new Command("logout", "Log out.") { everywhere, common.KeyFile };
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);
            var account = context.ChooseAccount();
            try
            {
                await using var client = context.Open(context.Home.Realm.Require(), account);
                await client.LogoutAsync(parsed.GetValue(everywhere), token);
            }
            finally
            {
                // Even where the realm was not told: who logs out wants the key gone from this machine.
                account.Session.Delete();
            }

            context.Tell($"{account.Name} is logged out");
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
