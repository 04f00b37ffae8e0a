using System.Globalization;

namespace KerberosMessaging.Benchmarks.Relay;

/// <summary>What the <c>relay</c> benchmark does.</summary>
internal enum Workload
{
    /// <summary>A: senders and recipients are both there.</summary>
    Online,

    /// <summary>B: messages are stored for recipients who are away, who then fetch them.</summary>
    Offline,

    /// <summary>C: connections that do nothing.</summary>
    Idle,
}

/// <summary>The command line of the <c>relay</c> benchmark.</summary>
/// <param name="Workload">What to do.</param>
/// <param name="Rate">A: messages a second in all, evenly paced; 0 for as many as the server takes.</param>
/// <param name="Seconds">A: how long the load is measured, after a warm-up.</param>
/// <param name="Connections">A and B: pairs of a sender and a recipient. C: idle connections.</param>
/// <param name="Messages">B: how many messages are stored and fetched.</param>
/// <param name="Waiting">A and B: how many messages are in the store before, for others who never fetch them.</param>
/// <param name="Offence">A: what somebody beside the measured pairs does.</param>
/// <param name="Json">Where the results are written; null for nowhere.</param>
internal sealed record RelayOptions(
    Workload Workload, int Rate, int Seconds, int Connections, int Messages, int Waiting, Offence Offence, string? Json)
{
    public const string Usage =
        """
        relay --workload A [--rate 1..1000000] [--seconds 1..300] [--connections 1..500] [--waiting 0..2000000]
                           [--offender none|unread|unacknowledged|slow|silent|large] [--json FILE]
        relay --workload B [--messages 1..2000000] [--connections 1..500] [--waiting 0..2000000] [--json FILE]
        relay --workload C [--connections 1..9000] [--json FILE]
        """;

    // Stored within the ten minutes that a service ticket lives.
    private const int MostMessages = 2_000_000;

    /// <summary>Reads the command line; null when it is wrong.</summary>
    public static RelayOptions? TryParse(ReadOnlySpan<string> args)
    {
        if (args is not ["--workload", var name, .. var rest] || Default(name) is not { } options)
        {
            return null;
        }

        for (; rest.Length >= 2; rest = rest[2..])
        {
            if (options.TryWith(rest[0], rest[1]) is not { } read)
            {
                return null;
            }

            options = read;
        }

        return rest.IsEmpty ? options : null;
    }

    private static RelayOptions? Default(string name) => name switch
    {
        "A" => new RelayOptions(Workload.Online, Rate: 0, Seconds: 10, Connections: 50, Messages: 0, Waiting: 0, Offence.None, Json: null),
        "B" => new RelayOptions(Workload.Offline, Rate: 0, Seconds: 0, Connections: 50, Messages: 200_000, Waiting: 0, Offence.None, Json: null),
        "C" => new RelayOptions(Workload.Idle, Rate: 0, Seconds: 0, Connections: 5_000, Messages: 0, Waiting: 0, Offence.None, Json: null),
        _ => null,
    };

    private RelayOptions? TryWith(string option, string value) => (option, Workload, Number(value)) switch
    {
        ("--json", _, _) => this with { Json = value },
        ("--offender", Workload.Online, _) when Enum.TryParse<Offence>(value, ignoreCase: true, out var offence) && Number(value) < 0 =>
            this with { Offence = offence },
        ("--rate", Workload.Online, >= 1 and <= 1_000_000 and var rate) => this with { Rate = rate },
        ("--seconds", Workload.Online, >= 1 and <= 300 and var seconds) => this with { Seconds = seconds },
        ("--messages", Workload.Offline, >= 1 and <= MostMessages and var messages) => this with { Messages = messages },
        ("--connections", Workload.Idle, >= 1 and <= 9_000 and var connections) => this with { Connections = connections },
        ("--connections", not Workload.Idle, >= 1 and <= 500 and var pairs) => this with { Connections = pairs },
        ("--waiting", not Workload.Idle, >= 0 and <= MostMessages and var waiting) => this with { Waiting = waiting },
        _ => null,
    };

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
}
