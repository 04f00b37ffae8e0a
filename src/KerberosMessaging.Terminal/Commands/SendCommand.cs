using System.CommandLine;
using System.Text;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg send</c>: encrypts a text to all devices of a client.</summary>
internal static class SendCommand
{
    // More than a message server takes, so that reading an endless input ends.
    private const int MaxBytes = 1024 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    public static Command Create(IShell shell, CommonOptions common)
    {
        var recipient = new Argument<string>("NAME") { Description = "The recipient's name." };
        var message = new Option<string?>("--message", "-m")
        {
            Description = "The text; without it, standard input is sent.",
            HelpName = "TEXT",
        };
        var command = new Command("send", "Send a message. It was sent, and is on the server's disk, when the exit code is 0.")
        {
            recipient,
            message,
            common.Json,
            common.KeyFile,
        };
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);

            // Opened before the text is read: who is not logged in should learn it before typing a long message.
            await using var client = context.Open();
            context.TellIfUnlinked(client);
            var text = parsed.GetValue(message) ?? await ReadInputAsync(context, token);
            if (text.Length == 0)
            {
                throw CommandException.Usage("the message is empty");
            }

            var sent = await client.SendTextAsync(parsed.GetRequiredValue(recipient), text, token);
            if (parsed.GetValue(common.Json))
            {
                JsonLine.Write(shell.Output, json =>
                {
                    json.WriteString("id", sent.Id.ToString());
                    json.WriteString("acceptedAt", JsonLine.TimeOf(sent.AcceptedAt));
                    json.WriteNumber("devices", sent.Devices);
                });
            }

            context.Tell(sent.Devices == 1 ? "sent" : $"sent to {sent.Devices} devices");
            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static async Task<string> ReadInputAsync(CommandContext context, CancellationToken cancellationToken)
    {
        if (context.Shell.IsInputTerminal)
        {
            context.Tell("type the message; Ctrl+D on a line of its own sends it, Ctrl+C gives up");
        }

        var bytes = new MemoryStream();
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await context.Shell.Input.ReadAsync(chunk, cancellationToken).AsTask().WaitAsync(cancellationToken)) > 0)
        {
            bytes.Write(chunk, 0, read);
            if (bytes.Length > MaxBytes)
            {
                throw CommandException.Usage($"the message is longer than {MaxBytes} bytes");
            }
        }

        try
        {
            var text = StrictUtf8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
            return text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
        }
        catch (DecoderFallbackException e)
        {
            throw new CommandException(ExitCode.Usage, "the message is not UTF-8 text", inner: e);
        }
    }
}
