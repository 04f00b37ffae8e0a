namespace KerberosMessaging.Hosting.Startup.Commands;

/// <summary>
/// A server's command line: a command, its own options, and options of the configuration. Without a command the server serves.
/// </summary>
/// <param name="Command">The command; null to serve.</param>
/// <param name="IsHelp">Whether only help is wanted.</param>
/// <param name="Options">The command's own options with their values.</param>
/// <param name="Configuration">All other arguments.</param>
internal sealed record CommandLine(
    ServerCommand? Command, bool IsHelp, IReadOnlyDictionary<string, string> Options, string[] Configuration)
{
    /// <summary>Reads a command line. What the configuration makes of its part is not looked at here.</summary>
    /// <exception cref="UsageException">It names no command, or the options are not those of the command.</exception>
    public static CommandLine Parse(string[] args, IReadOnlyList<ServerCommand> commands)
    {
        var isHelp = args.Any(static arg => arg is "--help" or "-h");
        if (isHelp || args.Length == 0 || args[0].StartsWith('-'))
        {
            return new CommandLine(null, isHelp, new Dictionary<string, string>(), args);
        }

        // The longest name first: a command may have two words, of which the first is a command, too.
        var command = commands.OrderByDescending(static command => command.Name.Length).FirstOrDefault(command => IsCalled(command, args))
            ?? throw new UsageException(
                $"unknown command '{args[0]}'; the commands are {string.Join(", ", commands.Select(static command => command.Name))}; without one the server serves.");
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        var configuration = Split(args[Words(command).Length..], command, options);
        return command.Options.FirstOrDefault(option => option.IsRequired && !options.ContainsKey(option.Name)) is { } missing
            ? throw new UsageException($"{command.Name} needs {missing.Form}. See --help.")
            : new CommandLine(command, IsHelp: false, options, configuration);
    }

    private static string[] Words(ServerCommand command) => command.Name.Split(' ');

    private static bool IsCalled(ServerCommand command, string[] args) => args.AsSpan().StartsWith(Words(command));

    private static string[] Split(string[] args, ServerCommand command, Dictionary<string, string> options)
    {
        var configuration = new List<string>();
        for (var i = 0; i < args.Length; i++)
        {
            var equals = args[i].IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? args[i] : args[i][..equals];
            var option = command.Options.FirstOrDefault(option => option.Name == name);
            if (option is null)
            {
                configuration.Add(args[i]);

                // A value of its own is not to be taken for an option of the command.
                if (equals < 0 && name.Contains(':', StringComparison.Ordinal) && i + 1 < args.Length)
                {
                    configuration.Add(args[++i]);
                }

                continue;
            }

            var value = ValueOf(option, args, equals, ref i);
            if (!options.TryAdd(option.Name, value))
            {
                throw new UsageException($"{option.Name} is given twice.");
            }
        }

        return [.. configuration];
    }

    private static string ValueOf(CommandOption option, string[] args, int equals, ref int i)
    {
        var value = option.Value is null
            ? equals < 0 ? "" : null
            : equals >= 0 ? args[i][(equals + 1)..]
            : i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal) ? args[++i]
            : null;
        return value is null || (option.Value is not null && value.Length == 0)
            ? throw new UsageException($"the option is written {option.Form}. See --help.")
            : value;
    }
}
