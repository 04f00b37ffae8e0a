using System.CommandLine;
using KerberosMessaging.Client;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg contacts verify</c>: whether a contact is who it seems to be.</summary>
internal static class ContactsVerifyCommand
{
    private const int DigitCount = 60;

    public static Command Create(IShell shell, CommonOptions common)
    {
        var name = new Argument<string>("NAME") { Description = "The contact's name." };
        var compared = new Option<string?>("--yes-i-compared")
        {
            Description = "The 60 digits as the contact sees them, for scripts: marks the contact as verified if they are the same.",
            HelpName = "DIGITS",
        };
        var qr = new QrOptions();
        var command = new Command(
            "verify",
            "Show the safety number shared with a contact, to be compared over another channel: in person or by telephone. A phone's "
            + "camera reads the digits from the QR code.")
        {
            name,
            compared,
            common.Json,
            common.KeyFile,
        };
        qr.AddTo(command, common.Json);
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
                JsonLine.Write(shell.Output, json => ContactView.WriteMembers(json, contact));
            }
            else
            {
                ContactView.WriteText(shell.Output, contact);
                qr.Write(parsed, shell, contact.SafetyNumber);
                ContactView.WriteUnlinked(shell.Output, contact, shell.Time);
            }

            WarnOfUnlinked(shell, contact);
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
                "unless one of you mistyped, or looked at an earlier number, someone is in between");
        }

        client.MarkVerified(contact);
        return contact with { Verification = ContactVerification.Verified };
    }

    private static void WarnOfUnlinked(IShell shell, Contact contact)
    {
        if (ContactView.UnlinkedOf(contact) is [var first, ..] unlinked)
        {
            var name = SafeText.OfLine(contact.Name);
            var (some, state) = unlinked.Count == 1 ? ("1 device", "is not linked") : ($"{unlinked.Count} devices", "are not linked");
            shell.Error.WriteLine(
                $"kmsg: warning: {some} of {name} {state}: the realm's server may have added what {name} did not. Nothing is sent there or "
                + $"shown from there, unless {name} links it, or you know it is {name}'s and run: "
                + $"kmsg contacts accept {name} --device {DeviceList.ShortIdOf(first.Device)}");
        }
    }

    private static Task<bool> AskAsync(IShell shell, Contact contact, CancellationToken cancellationToken) =>
        new Prompts(shell).AskYesNoAsync(
            $"Does {SafeText.OfLine(contact.Name)} see the same number with 'kmsg contacts verify'?", cancellationToken);
}
