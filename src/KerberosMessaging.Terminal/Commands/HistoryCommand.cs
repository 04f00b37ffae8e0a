using System.CommandLine;
using System.Globalization;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary><c>kmsg history</c>: what was received and sent, from the local store.</summary>
internal static class HistoryCommand
{
    private const int DefaultLimit = 50;
    private const int HighestLimit = 100_000;

    public static Command Create(IShell shell, CommonOptions common)
    {
        var name = new Argument<string?>("NAME")
        {
            Description = "Only what was written with this contact.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var search = new Option<string?>("--search")
        {
            Description = "Only texts that contain this, whatever its case.",
            HelpName = "TEXT",
        };
        var limit = new Option<int>("--limit")
        {
            Description = $"How many of the newest (default: {DefaultLimit}).",
            HelpName = "N",
            CustomParser = static result =>
            {
                if (int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                    && count is > 0 and <= HighestLimit)
                {
                    return count;
                }

                result.AddError($"--limit takes a number from 1 to {HighestLimit}");
                return default;
            },
        };
        var command = new Command("history", "Print what this device knows to have been received (<-) and sent (->), the newest last.")
        {
            name,
            search,
            limit,
            common.Json,
            common.KeyFile,
        };
        command.SetAction(async (parsed, _) =>
        {
            var context = new CommandContext(shell, common, parsed);
            var wanted = parsed.GetValue(name);
            var count = parsed.GetResult(limit) is null ? DefaultLimit : parsed.GetValue(limit);
            var text = parsed.GetValue(search);
            if (text is "")
            {
                throw CommandException.Usage("there is nothing to search for");
            }

            await using var client = context.Open();
            var newestFirst = text is null ? client.ListHistory(wanted, limit: count) : client.SearchHistory(text, wanted, count);
            foreach (var entry in newestFirst.Reverse())
            {
                shell.Output.WriteLine(parsed.GetValue(common.Json) ? HistoryLine.ToJson(entry) : HistoryLine.ToText(entry, shell.Time));
            }

            return (int)ExitCode.Ok;
        });
        return command;
    }
}
