using System.CommandLine;
using KerberosMessaging.Client;
using KerberosMessaging.Terminal.Interaction;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg register</c>: makes an account at the realm.</summary>
internal static class RegisterCommand
{
    public static Command Create(IShell shell, CommonOptions common)
    {
        var name = new Argument<string>("NAME") { Description = "The wished name." };
        var password = new PasswordOptions();
        var token = new PasswordOptions("token", "--token");
        var command = new Command("register", "Make an account; some realms ask for a token that invites you.") { name };
        PasswordOptions.AddTo(command, password, token);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var context = new CommandContext(shell, common, parsed);
            var realm = context.Home.Realm.Require();
            var wished = parsed.GetRequiredValue(name);
            var options = context.Options(context.Home.Accounts.Get(wished));
            var invite = token.IsGiven(parsed) ? await token.ReadTokenAsync(parsed, shell, "", cancellationToken) : "";
            using var secret = await password.ReadAsync(parsed, shell, $"Password for {wished}: ", twice: true, cancellationToken);
            try
            {
                await MessagingClient.RegisterAsync(realm, wished, secret, options, invite, cancellationToken);
            }
            catch (MessagingException e)
                when (e.Failure == MessagingFailure.InviteRefused && invite.Length == 0 && shell.IsInputTerminal)
            {
                invite = await token.ReadTokenAsync(parsed, shell, "The realm asks for a token that invites you: ", cancellationToken);
                await MessagingClient.RegisterAsync(realm, wished, secret, options, invite, cancellationToken);
            }

            context.Tell($"{wished} is registered; log in with: kmsg login {wished}");
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
