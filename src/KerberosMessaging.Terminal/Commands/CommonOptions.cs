using System.CommandLine;
using System.Globalization;

namespace KerberosMessaging.Terminal.Commands;

/// <summary>Options that several commands have.</summary>
internal sealed class CommonOptions
{
    private const int DefaultTimeout = 15;
    private const int LongestTimeout = 3600;

    public Option<string?> Home { get; } = new("--home")
    {
        Description = "Folder of realm and accounts (default: KMSG_HOME, or else ~/.kmsg).",
        HelpName = "DIR",
        Recursive = true,
    };

    public Option<string?> As { get; } = new("--as")
    {
        Description = "Which account to use (default: KMSG_USER, or else the only one there is).",
        HelpName = "NAME",
        Recursive = true,
    };

    public Option<TimeSpan> Timeout { get; } = new("--timeout")
    {
        Description = $"How long to wait for a server (default: {DefaultTimeout}).",
        HelpName = "SECONDS",
        Recursive = true,
        CustomParser = static result =>
        {
            if (int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                && seconds is > 0 and <= LongestTimeout)
            {
                return TimeSpan.FromSeconds(seconds);
            }

            result.AddError($"--timeout takes a number of seconds from 1 to {LongestTimeout}");
            return default;
        },
    };

    public Option<string?> KeyFile { get; } = new("--key-file")
    {
        Description = "File of at least 32 bytes that the account's store is sealed under, for services.",
        HelpName = "FILE",
    };

    public Option<bool> Json { get; } = new("--json")
    {
        Description = "Print JSON.",
    };

    public TimeSpan TimeoutOf(ParseResult parsed) =>
        parsed.GetResult(Timeout) is null ? TimeSpan.FromSeconds(DefaultTimeout) : parsed.GetValue(Timeout);
}
