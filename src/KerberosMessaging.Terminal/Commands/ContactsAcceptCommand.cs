using System.CommandLine;
using KerberosMessaging.Client;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg contacts accept</c>: goes on with a contact whose identity changed, or with a device that is not linked.</summary>
internal static class ContactsAcceptCommand
{
    public static Command Create(IShell shell, CommonOptions common)
    {
        var name = new Argument<string>("NAME") { Description = "The contact's name." };
        var device = new Option<string?>("--device")
        {
            Description =
                "Accept this one device that is not linked, by its id as 'kmsg contacts verify' shows it; its first "
                + $"{DeviceIds.ShortestStart} digits or more do.",
            HelpName = "DEVICE",
        };
        var yes = new Option<bool>("--yes") { Description = "Do not ask first." };
        var command = new Command(
            "accept",
            "Accept a contact's changed identity. Unless you know why it changed, compare the safety number instead: kmsg contacts verify.")
        {
            name,
            device,
            yes,
            common.KeyFile,
        };
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);
            var isSure = parsed.GetValue(yes);
            if (!isSure && !shell.IsInputTerminal)
            {
                throw CommandException.Usage("there is no terminal to ask whether this is meant", "give --yes");
            }

            await using var client = context.Open();
            var contact = await client.GetContactAsync(parsed.GetRequiredValue(name), token);
            var ask = isSure ? null : new Prompts(shell);
            await (parsed.GetValue(device) is { } typed
                ? AcceptDeviceAsync(context, ask, client, contact, typed, token)
                : AcceptIdentityAsync(context, ask, client, contact, token));
            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static async Task AcceptIdentityAsync(
        CommandContext context, Prompts? ask, MessagingClient client, Contact contact, CancellationToken cancellationToken)
    {
        var name = SafeText.OfLine(contact.Name);
        if (contact.Verification != ContactVerification.Changed)
        {
            context.Tell($"the identity of {name} has not changed: there is nothing to accept");
            return;
        }

        if (ask is not null)
        {
            context.Shell.Prompt.WriteLine(
                $"The identity of {name} is not the one that you wrote with before. That is so after a password reset, and when someone is in between.");
            context.Shell.Prompt.WriteLine(
                $"Unless you know why it changed, compare the safety number instead: kmsg contacts verify {name}");
        }

        await ConfirmAsync(ask, $"Accept the new identity of {name} without comparing?", cancellationToken);
        client.AcceptIdentity(contact);
        context.Tell($"the new identity of {name} is accepted, and not verified");
    }

    private static async Task AcceptDeviceAsync(
        CommandContext context, Prompts? ask, MessagingClient client, Contact contact, string typed, CancellationToken cancellationToken)
    {
        var name = SafeText.OfLine(contact.Name);
        var device = DeviceIds.Find(contact.Devices, static device => device.Device, typed, $"kmsg contacts verify {contact.Name} --json");
        var which = $"device {DeviceList.ShortIdOf(device.Device)} of {name}";
        if (device.Standing != DeviceStanding.Unlinked)
        {
            context.Tell($"{which} is {Standing.ToText(device.Standing)} already");
            return;
        }

        if (ask is not null)
        {
            context.Shell.Prompt.WriteLine(
                $"The {which}, first seen {ContactView.FirstSeenOf(device, context.Shell.Time)}, is not linked: the realm's server may have added it.");
            context.Shell.Prompt.WriteLine(
                $"Unless {name} told you otherwise, let {name} link it instead: kmsg devices link");
        }

        await ConfirmAsync(ask, $"Send your messages to the {which} as well, and show what comes from it?", cancellationToken);
        client.AcceptDevice(contact, device.Device);
        context.Tell($"{which} is accepted");
    }

    private static async Task ConfirmAsync(Prompts? ask, string question, CancellationToken cancellationToken)
    {
        if (ask is not null && !await ask.AskYesNoAsync(question, cancellationToken))
        {
            throw new CommandException(ExitCode.Interrupted, "nothing was accepted");
        }
    }
}
