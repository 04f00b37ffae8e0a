using System.Globalization;

namespace KerberosMessaging.Benchmarks.Auth;

/// <summary>The command line of the <c>auth</c> benchmark.</summary>
/// <param name="Json">Where the results are written; null for nowhere.</param>
/// <param name="Seconds">How long each load is measured, after a warm-up of its own.</param>
/// <param name="Connections">How many connections are at work at once.</param>
internal sealed record AuthOptions(string? Json, int Seconds, int Connections)
{
    public const string Usage = "auth [--json FILE] [--seconds 1..120] [--connections 1..256]";

    /// <summary>Reads the command line; null when it is wrong.</summary>
    public static AuthOptions? TryParse(ReadOnlySpan<string> args)
    {
        var options = new AuthOptions(Json: null, Seconds: 10, Connections: 16);
        for (; args.Length >= 2; args = args[2..])
        {
            var read = args[0] switch
            {
                "--json" => options with { Json = args[1] },
                "--seconds" when Number(args[1]) is >= 1 and <= 120 and var seconds => options with { Seconds = seconds },
                "--connections" when Number(args[1]) is >= 1 and <= 256 and var connections =>
                    options with { Connections = connections },
                _ => null,
            };
            if (read is null)
            {
                return null;
            }

            options = read;
        }

        return args.IsEmpty ? options : null;
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
