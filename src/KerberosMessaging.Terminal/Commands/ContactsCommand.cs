using System.CommandLine;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg contacts</c>: who one writes with.</summary>
internal static class ContactsCommand
{
    public static Command Create(IShell shell, CommonOptions common) => new("contacts", "People you write with.")
    {
        CreateList(shell, common),
        ContactsVerifyCommand.Create(shell, common),
        ContactsAcceptCommand.Create(shell, common),
    };

    private static Command CreateList(IShell shell, CommonOptions common)
    {
        var command = new Command(
            "list",
            "List the contacts as this device knows them; when piped, one a line, separated by tabs: name, state, and how many "
            + "devices are linked, accepted and not linked.")
        {
            common.Json,
            common.KeyFile,
        };
        command.SetAction(async (parsed, _) =>
        {
            var context = new CommandContext(shell, common, parsed);
            await using var client = context.Open();
            var list = new ContactList(client.ListContacts());
            if (parsed.GetValue(common.Json))
            {
                list.WriteJson(shell.Output);
            }
            else if (shell.IsOutputTerminal)
            {
                list.WriteTable(shell.Output);
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
