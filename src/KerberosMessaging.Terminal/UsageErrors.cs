using System.CommandLine;

namespace KerberosMessaging.Terminal;

/// <summary>
/// Says what is wrong with a command line. Values are not repeated: what was put in the wrong place may be a password, and
/// standard error is often kept.
/// </summary>
internal static class UsageErrors
{
    public static CommandException Of(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        return CommandException.Usage(MessageOf(parsed, command), HintOf(parsed, command));
    }

    private static string MessageOf(ParseResult parsed, Command command) => parsed.UnmatchedTokens switch
    {
        [['-', '-', ..] option, ..] => $"unknown option {option.Split('=')[0]}",
        [['-', var letter, ..], ..] => $"unknown option -{letter}",
        [var word, ..] when command.Subcommands.Count > 0 => $"unknown command {word}",
        [_, ..] => $"too many arguments for '{NameOf(command)}'",
        [] when command.Subcommands.Count > 0 && command.Action is null => "which command?",
        [] => parsed.Errors[0].Message.TrimEnd('.'),
    };

    private static string HintOf(ParseResult parsed, Command command) => command.Name switch
    {
        "register" or "login" or "change" or "reset" when parsed.UnmatchedTokens.Count > 0 => Secret("password"),
        "create" or "restore" when parsed.UnmatchedTokens.Count > 0 => Secret("passphrase"),
        _ => $"{NameOf(command)} --help",
    };

    private static string Secret(string what) =>
        $"a {what} is typed at the prompt, or comes from --{what}-file FILE or --{what}-stdin; never from an argument";

    private static string NameOf(Command command) => string.Join(
        ' ', Path(command).Reverse().Select(static step => step is RootCommand ? "kmsg" : step.Name));

    private static IEnumerable<Command> Path(Command command)
    {
        for (var step = command; step is not null; step = step.Parents.OfType<Command>().FirstOrDefault())
        {
            yield return step;
        }
    }
}
