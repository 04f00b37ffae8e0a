using System.CommandLine;
using KerberosMessaging.Client;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg contacts</c>: who one writes with.</summary>
internal static class ContactsCommand
{
    private const int DigitCount = 60;
    private const int GroupSize = 5;

    public static Command Create(IShell shell, CommonOptions common) => new("contacts", "People you write with.")
    {
        CreateVerify(shell, common),
    };

    private static Command CreateVerify(IShell shell, CommonOptions common)
    {
        var name = new Argument<string>("NAME") { Description = "The contact's name." };
        var compared = new Option<string?>("--yes-i-compared")
        {
            Description = "The 60 digits as the contact sees them, for scripts: marks the contact as verified if they are the same.",
            HelpName = "DIGITS",
        };
        var command = new Command(
            "verify",
            "Show the safety number shared with a contact, to be compared over another channel: in person or by telephone.")
        {
            name,
            compared,
            common.Json,
            common.KeyFile,
        };
        command.SetAction(async (parsed, token) =>
        {
            var digits = parsed.GetValue(compared) is { } typed ? ParseDigits(typed) : null;
            var context = new CommandContext(shell, common, parsed);
            await using var client = context.Open();
            var contact = await client.GetContactAsync(parsed.GetRequiredValue(name), token);
            if (digits is not null)
            {
                contact = MarkIfSame(client, contact, digits == contact.SafetyNumber);
            }

            if (parsed.GetValue(common.Json))
            {
                WriteJson(shell.Output, contact);
            }
            else
            {
                WriteText(shell.Output, contact);
            }

            if (digits is null && shell.IsInputTerminal && shell.IsOutputTerminal && contact.Verification != ContactVerification.Verified)
            {
                MarkIfSame(client, contact, await AskAsync(shell, contact, token));
                context.Tell($"{SafeText.OfLine(contact.Name)} is verified");
            }

            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static string ParseDigits(string typed)
    {
        var digits = string.Concat(typed.Where(static character => !char.IsWhiteSpace(character)));
        return digits.Length == DigitCount && digits.All(char.IsAsciiDigit)
            ? digits
            : throw CommandException.Usage($"a safety number has {DigitCount} digits; spaces between them do no harm");
    }

    private static Contact MarkIfSame(MessagingClient client, Contact contact, bool same)
    {
        if (!same)
        {
            throw new CommandException(
                ExitCode.Untrusted,
                $"the safety numbers differ: {contact.Name} was not marked as verified",
                "unless one of you mistyped, or one of you got a new device, someone is in between");
        }

        client.MarkVerified(contact);
        return contact with { Verification = ContactVerification.Verified };
    }

    private static Task<bool> AskAsync(IShell shell, Contact contact, CancellationToken cancellationToken) =>
        new Prompts(shell).AskYesNoAsync(
            $"Does {SafeText.OfLine(contact.Name)} see the same number with 'kmsg contacts verify'?", cancellationToken);

    private static void WriteText(TextWriter output, Contact contact)
    {
        output.WriteLine($"Safety number with {SafeText.OfLine(contact.Name)} ({StateOf(contact)}):");
        output.WriteLine();
        output.WriteLine(Groups.Of(contact.SafetyNumber, GroupSize, perLine: 4, indentation: "  "));
        output.WriteLine();
    }

    private static void WriteJson(TextWriter output, Contact contact) => JsonLine.Write(output, json =>
    {
        json.WriteString("name", contact.Name);
        json.WriteString("clientId", contact.Client.ToString());
        json.WriteString("safetyNumber", Groups.Of(contact.SafetyNumber, GroupSize));
        json.WriteString("state", StateOf(contact));
    });

    private static string StateOf(Contact contact) => contact.Verification switch
    {
        ContactVerification.Verified => "verified",
        ContactVerification.Changed => "changed",
        _ => "unverified",
    };
}
