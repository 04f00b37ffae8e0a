using System.CommandLine;
using System.Text;
using KerberosMessaging.Client;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary>
/// <c>kmsg devices link</c> on a new device and <c>kmsg devices approve</c> on one that is linked: a code is carried from the one
/// to the other, so that contacts need not believe the realm's server which devices are an account's.
/// </summary>
internal static class DevicesLinkCommand
{
    public static Command CreateLink(IShell shell, CommonOptions common)
    {
        var qr = new QrOptions();
        var command = new Command(
            "link", "Link this device: show a code for 'kmsg devices approve' on one that is linked, and wait until it was used.")
        {
            common.Json,
            common.KeyFile,
        };
        qr.AddTo(command, common.Json);
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);
            await using var client = context.Open(patient: true);
            var code = client.StartLinking();
            if (parsed.GetValue(common.Json))
            {
                WriteJson(shell.Output, client, json => json.WriteString("code", code));
            }
            else if (shell.IsOutputTerminal)
            {
                shell.Output.WriteLine("Link code, to be shown to nobody else:");
                shell.Output.WriteLine();
                shell.Output.WriteLine($"  {code}");
                shell.Output.WriteLine();
                qr.Write(parsed, shell, code);
            }
            else
            {
                shell.Output.WriteLine(code);
                qr.Write(parsed, shell, code);
            }

            await shell.Output.FlushAsync(token);
            context.Tell($"on a device of {SafeText.OfLine(client.Name)} that is linked, run: kmsg devices approve (Ctrl+C ends waiting; the code stays good)");
            await client.WaitUntilLinkedAsync(token);
            if (parsed.GetValue(common.Json))
            {
                WriteJson(shell.Output, client, static json => json.WriteBoolean("linked", true));
            }

            context.Tell("this device is linked");
            return (int)ExitCode.Ok;
        });
        return command;
    }

    public static Command CreateApprove(IShell shell, CommonOptions common)
    {
        var code = new Argument<string?>("CODE")
        {
            Description = "The code that the new device shows; without it, it is asked for, or comes from standard input. It is good once.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("approve", "Link another device of the account, which shows a code with 'kmsg devices link'.")
        {
            code,
            common.KeyFile,
        };
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);
            await using var client = context.Open();
            var typed = parsed.GetValue(code) ?? await ReadCodeAsync(shell, token);

            // Before the device is linked: what it is called is no reason to fail after.
            var devices = await client.ListDevicesAsync(token);
            var linked = await client.ApproveDeviceAsync(typed, token);
            shell.Output.WriteLine($"{DeviceList.Describe(devices.Single(device => device.Device == linked))} is linked");
            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static async Task<string> ReadCodeAsync(IShell shell, CancellationToken cancellationToken)
    {
        if (shell.IsInputTerminal)
        {
            return await new Prompts(shell).AskLineAsync("Code that the new device shows: ", cancellationToken);
        }

        using var line = await new PasswordInput(shell, "link code").ReadInputAsync(cancellationToken);
        return Encoding.UTF8.GetString(line.Span);
    }

    private static void WriteJson(TextWriter output, MessagingClient client, Action<System.Text.Json.Utf8JsonWriter> writeMember) =>
        JsonLine.Write(output, json =>
        {
            json.WriteString("device", client.Device.ToString());
            writeMember(json);
        });
}
