using System.CommandLine;
using KerberosMessaging.Terminal.Interaction;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg help</c>: what <c>--help</c> has no place for.</summary>
internal static class HelpCommand
{
    public static Command Create(IShell shell)
    {
        var exitCodes = new Command("exit-codes", "List the exit codes.");
        exitCodes.SetAction(_ => ExitCodeHelp.Write(shell.Output));
        var command = new Command("help", "Show this help.") { exitCodes };
        command.SetAction(static parsed => parsed.RootCommandResult.Command.Parse("--help").Invoke(parsed.InvocationConfiguration));
        return command;
    }
}
