using System.CommandLine;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg receive</c>: prints the messages that were not printed before.</summary>
internal static class ReceiveCommand
{
    public static Command Create(IShell shell, CommonOptions common)
    {
        var follow = new Option<bool>("--follow", "-f") { Description = "Wait for more, until Ctrl+C." };
        var command = new Command("receive", "Print unread messages. A message counts as read once it was written.")
        {
            follow,
            common.Json,
            common.KeyFile,
        };
        command.SetAction(async (parsed, token) =>
        {
            var context = new CommandContext(shell, common, parsed);
            var isFollowing = parsed.GetValue(follow);
            var json = parsed.GetValue(common.Json);
            await using var client = context.Open(patient: isFollowing);
            context.TellIfUnlinked(client);
            if (isFollowing)
            {
                context.Tell($"receiving as {client.Name}; Ctrl+C ends it");
            }

            try
            {
                await foreach (var message in client.ReceiveAsync(isFollowing, token))
                {
                    // Not cancellable, and flushed: asking for the next message marks this one as read.
                    await shell.Output.WriteLineAsync(json ? MessageLine.ToJson(message) : MessageLine.ToText(message, shell.Time));
                    await shell.Output.FlushAsync(CancellationToken.None);
                }
            }
            catch (OperationCanceledException) when (isFollowing && token.IsCancellationRequested)
            {
                // That is how following ends.
            }

            return (int)ExitCode.Ok;
        });
        return command;
    }
}
