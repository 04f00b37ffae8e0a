using System.CommandLine;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg tickets</c>: what is in the ticket cache.</summary>
internal static class TicketsCommand
{
    public static Command Create(IShell shell, CommonOptions common)
    {
        var command = new Command("tickets", "List the tickets in the cache; when piped, one a line, separated by tabs.")
        {
            common.Json,
            common.KeyFile,
        };
        command.SetAction(async (parsed, _) =>
        {
            var context = new CommandContext(shell, common, parsed);
            await using var client = context.Open();
            var list = new TicketList(client.Name, client.Id.ToString(), client.Device.ToString(), client.ListTickets());
            if (parsed.GetValue(common.Json))
            {
                list.WriteJson(shell.Output);
            }
            else if (shell.IsOutputTerminal)
            {
                list.WriteTable(shell.Output, shell.Time);
            }
            else
            {
                list.WriteTabSeparated(shell.Output);
            }

            return (int)ExitCode.Ok;
        });
        return command;
    }
}
