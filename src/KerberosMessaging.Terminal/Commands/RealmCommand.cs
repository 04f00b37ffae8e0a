using System.CommandLine;
using KerberosMessaging.Client;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg realm</c>: which auth server is trusted, and by which key.</summary>
internal static class RealmCommand
{
    public static Command Create(IShell shell, CommonOptions common) => new("realm", "The realm: its auth server and its key.")
    {
        CreateAdd(shell, common),
        CreateShow(shell, common),
        CreateRemove(shell, common),
    };

    private static Command CreateAdd(IShell shell, CommonOptions common)
    {
        var address = new Argument<ServerAddress>("HOST:PORT")
        {
            Description = $"Address of the realm's auth server; the port may be left out when it is {ServerAddress.DefaultPort}.",
            CustomParser = static result =>
            {
                if (ServerAddress.TryParse(result.Tokens[0].Value, out var parsed))
                {
                    return parsed;
                }

                result.AddError("an address is HOST:PORT, such as chat.example.org:1256 or [2001:db8::1]:1256");
                return default;
            },
        };
        var fingerprint = new Option<string?>("--fingerprint")
        {
            Description = "The realm's fingerprint as its administrator tells it; without it you are asked to compare.",
            HelpName = "HEX",
        };
        var command = new Command("add", "Trust a realm, or change its address.") { address, fingerprint };
        command.SetAction((parsed, token) => AddAsync(
            new CommandContext(shell, common, parsed), parsed.GetValue(address), parsed.GetValue(fingerprint), token));
        return command;
    }

    private static Command CreateShow(IShell shell, CommonOptions common)
    {
        var command = new Command("show", "Print address and fingerprint of the realm.") { common.Json };
        command.SetAction(parsed =>
        {
            var realm = new CommandContext(shell, common, parsed).Home.Realm.Require();
            if (parsed.GetValue(common.Json))
            {
                JsonLine.Write(shell.Output, json =>
                {
                    json.WriteString("host", realm.Host);
                    json.WriteNumber("port", realm.Port);
                    json.WriteString("fingerprint", realm.Fingerprint);
                });
            }
            else
            {
                shell.Output.WriteLine($"address      {new ServerAddress(realm.Host, realm.Port)}");
                shell.Output.WriteLine($"fingerprint  {realm.Fingerprint}");
            }
        });
        return command;
    }

    private static Command CreateRemove(IShell shell, CommonOptions common)
    {
        var command = new Command("remove", "Forget the realm; accounts and their messages stay.");
        command.SetAction(parsed =>
        {
            var context = new CommandContext(shell, common, parsed);
            if (!context.Home.Realm.Remove())
            {
                throw CommandException.Usage("there is no realm to remove");
            }

            context.Tell("realm removed");
        });
        return command;
    }

    private static async Task<int> AddAsync(
        CommandContext context,
        ServerAddress address,
        string? fingerprint,
        CancellationToken cancellationToken)
    {
        if (fingerprint is not null && !RealmPin.TryParseFingerprint(fingerprint, out fingerprint))
        {
            throw CommandException.Usage("a fingerprint has 64 hexadecimal digits; colons and spaces between them do no harm");
        }

        var saved = context.Home.Realm.Load();
        if (saved is null && fingerprint is null && !context.Shell.IsInputTerminal)
        {
            throw CommandException.Usage(
                "there is no terminal to ask whether the realm's fingerprint is right", "give --fingerprint HEX");
        }

        var found = await context.InTimeAsync(token => RealmPin.ProbeAsync(address.Host, address.Port, token), cancellationToken);
        if (fingerprint is not null && fingerprint != found.Fingerprint)
        {
            throw new CommandException(
                ExitCode.Untrusted,
                $"the server at {address} has another key: its fingerprint is {found.Fingerprint}",
                "nothing was saved; compare the fingerprint with the realm's administrator");
        }

        if (saved is not null && saved.Fingerprint != found.Fingerprint)
        {
            throw new CommandException(
                ExitCode.Untrusted,
                $"the server at {address} is not of the realm known here: its fingerprint is {found.Fingerprint}, not {saved.Fingerprint}",
                "nothing was changed; if you mean to change to another realm: kmsg realm remove, then add it");
        }

        if (saved is null && fingerprint is null && !await ConfirmAsync(context.Shell, address, found, cancellationToken))
        {
            throw new CommandException(
                ExitCode.Untrusted, "nothing was saved", "ask the realm's administrator for the fingerprint");
        }

        context.Home.Realm.Save(found);
        context.Tell(saved is null ? $"realm at {address} added" : $"realm is at {address}");
        return (int)ExitCode.Ok;
    }

    private static Task<bool> ConfirmAsync(IShell shell, ServerAddress address, RealmPin found, CancellationToken cancellationToken)
    {
        shell.Prompt.WriteLine($"The server at {address} has this fingerprint:");
        shell.Prompt.WriteLine();
        shell.Prompt.WriteLine(Groups.Of(found.Fingerprint, size: 4, perLine: 8, indentation: "  "));
        shell.Prompt.WriteLine();
        return new Prompts(shell).AskYesNoAsync(
            "Is it the one that the realm's administrator told you?", cancellationToken);
    }
}
