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
        var command = new Command("register", "Make an account.") { name };
        password.AddTo(command);
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);
            var realm = context.Home.Realm.Require();
            var wished = parsed.GetRequiredValue(name);
            using var secret = await password.ReadAsync(parsed, shell, $"Password for {wished}: ", twice: true, token);
            await context.InTimeAsync(limited => MessagingClient.RegisterAsync(realm, wished, secret, limited), token);
            context.Tell($"{wished} is registered; log in with: kmsg login {wished}");
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
