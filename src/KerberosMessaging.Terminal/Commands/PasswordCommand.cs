using System.CommandLine;
using KerberosMessaging.Client;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg password</c>: changes it, or sets a new one with the administrator's help.</summary>
internal static class PasswordCommand
{
    private static PasswordOptions NewPassword => new("new password", "--new-password");

    public static Command Create(IShell shell, CommonOptions common) => new("password", "Change the password of an account.")
    {
        CreateChange(shell, common),
        CreateReset(shell, common),
    };

    private static Command CreateChange(IShell shell, CommonOptions common)
    {
        var current = new PasswordOptions();
        var replacement = NewPassword;
        var keep = new Option<bool>("--keep-sessions") { Description = "Let the account's other devices stay logged in." };
        var command = new Command("change", "Change the password.") { keep, common.KeyFile };
        PasswordOptions.AddTo(command, current, replacement);
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);

            // Opened before anything is asked for, which would be for nothing without a login.
            await using var client = context.Open();
            using var old = await current.ReadAsync(parsed, shell, $"Current password of {client.Name}: ", twice: false, token);
            using var secret = await replacement.ReadAsync(parsed, shell, $"New password for {client.Name}: ", twice: true, token);
            await client.ChangePasswordAsync(old, secret, endOtherSessions: !parsed.GetValue(keep), token);
            context.Tell($"the password of {SafeText.OfLine(client.Name)} is changed");
            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateReset(IShell shell, CommonOptions common)
    {
        var name = new Argument<string>("NAME") { Description = "The account's name." };
        var token = new PasswordOptions("token", "--token");
        var replacement = NewPassword;
        var command = new Command(
            "reset",
            "Set a new password with a token from the realm's administrator. All devices of the account are removed; contacts see "
            + "a changed identity, and messages that are stored here can be read no more.")
        {
            name,
        };
        PasswordOptions.AddTo(command, token, replacement);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var context = new CommandContext(shell, common, parsed);
            var realm = context.Home.Realm.Require();
            var wanted = parsed.GetRequiredValue(name);
            var account = context.Home.Accounts.Get(wanted);
            var reset = await token.ReadTokenAsync(parsed, shell, $"Token that resets the password of {wanted}: ", cancellationToken);
            if (reset.Length == 0)
            {
                throw CommandException.Usage("the token is empty");
            }

            using var secret = await replacement.ReadAsync(parsed, shell, $"New password for {wanted}: ", twice: true, cancellationToken);
            var aside = await MessagingClient.ResetPasswordAsync(
                realm, wanted, reset, secret, context.Options(account), cancellationToken);
            account.Session.Delete();
            if (aside is not null)
            {
                context.Tell($"the old store is kept as {SafeText.OfLine(aside)}");
            }

            context.Tell($"the password of {wanted} is reset; log in with: kmsg login {wanted}");
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
