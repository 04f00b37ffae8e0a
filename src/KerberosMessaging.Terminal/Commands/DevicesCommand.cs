using System.CommandLine;
using KerberosMessaging.Client;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg devices</c>: where the account is logged in, or may be again.</summary>
internal static class DevicesCommand
{
    public static Command Create(IShell shell, CommonOptions common) => new("devices", "The devices of the account.")
    {
        CreateList(shell, common),
        DevicesLinkCommand.CreateLink(shell, common),
        DevicesLinkCommand.CreateApprove(shell, common),
        CreateRename(shell, common),
        CreateRemove(shell, common),
    };

    private static Command CreateList(IShell shell, CommonOptions common)
    {
        var command = new Command("list", "List the devices; when piped, one a line, separated by tabs.") { common.Json, common.KeyFile };
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);
            await using var client = context.Open();
            var list = new DeviceList(await client.ListDevicesAsync(token));
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

    private static Command CreateRename(IShell shell, CommonOptions common)
    {
        var device = DeviceArgument();
        var name = new Argument<string>("NAME") { Description = "What it is to be called." };
        var command = new Command("rename", "Give a device another name.") { device, name, common.KeyFile };
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);
            await using var client = context.Open();
            var found = Find(await client.ListDevicesAsync(token), parsed.GetRequiredValue(device));
            await client.RenameDeviceAsync(found.Device, parsed.GetRequiredValue(name), token);
            context.Tell($"{DeviceList.Describe(found)} is now {SafeText.OfLine(parsed.GetRequiredValue(name))}");
            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateRemove(IShell shell, CommonOptions common)
    {
        var device = DeviceArgument();
        var yes = new Option<bool>("--yes") { Description = "Do not ask first." };
        var command = new Command("remove", "Remove a device for good: it is logged out and never logs in again.")
        {
            device,
            yes,
            common.KeyFile,
        };
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);
            var account = context.ChooseAccount();
            await using var client = context.Open(context.Home.Realm.Require(), account);
            var found = Find(await client.ListDevicesAsync(token), parsed.GetRequiredValue(device));
            var question = $"Remove {DeviceList.Describe(found)}{(found.IsThisDevice ? ", which is this one," : "")} for good?";
            if (!parsed.GetValue(yes) && shell.IsInputTerminal && !await new Prompts(shell).AskYesNoAsync(question, token))
            {
                throw new CommandException(ExitCode.Interrupted, "nothing was removed");
            }

            await client.RemoveDeviceAsync(found.Device, token);
            if (found.IsThisDevice)
            {
                account.Session.Delete();
            }

            context.Tell($"{DeviceList.Describe(found)} is removed");
            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static Argument<string> DeviceArgument() => new("DEVICE")
    {
        Description = $"The device's id as 'kmsg devices list' shows it; its first {DeviceIds.ShortestStart} digits or more do.",
    };

    private static DeviceInfo Find(IReadOnlyList<DeviceInfo> devices, string typed) =>
        DeviceIds.Find(devices, static device => device.Device, typed, "kmsg devices list");
}
