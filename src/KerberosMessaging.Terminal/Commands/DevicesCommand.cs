using System.CommandLine;
using KerberosMessaging.Client;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg devices</c>: where the account is logged in, or may be again.</summary>
internal static class DevicesCommand
{
    // Enough not to hit another device by a slip of the finger.
    private const int ShortestStart = 4;

    public static Command Create(IShell shell, CommonOptions common) => new("devices", "The devices of the account.")
    {
        CreateList(shell, common),
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
            context.Tell($"{Describe(found)} is now {SafeText.OfLine(parsed.GetRequiredValue(name))}");
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
            var question = $"Remove {Describe(found)}{(found.IsThisDevice ? ", which is this one," : "")} for good?";
            if (!parsed.GetValue(yes) && shell.IsInputTerminal && !await new Prompts(shell).AskYesNoAsync(question, token))
            {
                throw new CommandException(ExitCode.Interrupted, "nothing was removed");
            }

            await client.RemoveDeviceAsync(found.Device, token);
            if (found.IsThisDevice)
            {
                account.Session.Delete();
            }

            context.Tell($"{Describe(found)} is removed");
            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static Argument<string> DeviceArgument() => new("DEVICE")
    {
        Description = $"The device's id as 'kmsg devices list' shows it; its first {ShortestStart} digits or more do.",
    };

    private static DeviceInfo Find(IReadOnlyList<DeviceInfo> devices, string typed)
    {
        if (typed.Length < ShortestStart || !typed.All(char.IsAsciiHexDigit))
        {
            throw CommandException.Usage($"a device is named by the first {ShortestStart} hexadecimal digits of its id, or more", "kmsg devices list");
        }

        return devices.Where(device => device.Device.ToString().StartsWith(typed, StringComparison.OrdinalIgnoreCase)).ToList() switch
        {
            [var only] => only,
            [] => throw new CommandException(ExitCode.Refused, $"there is no device {typed}", "kmsg devices list"),
            _ => throw CommandException.Usage($"several devices begin with {typed}", "give more digits of the id"),
        };
    }

    private static string Describe(DeviceInfo device) =>
        $"device {DeviceList.ShortIdOf(device)}{(device.Name.Length > 0 ? $" ({SafeText.OfLine(device.Name)})" : "")}";
}
