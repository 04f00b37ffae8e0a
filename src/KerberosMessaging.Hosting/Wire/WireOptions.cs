using System.ComponentModel.DataAnnotations;
using System.Net;
using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>The raw TCP port and its limits. Section <c>Wire</c>.</summary>
public sealed class WireOptions : IValidatableObject
{
    /// <summary>The configuration section these options are bound to.</summary>
    public const string SectionName = "Wire";

    internal const int DefaultDrainGraceSeconds = 5;

    /// <summary>The IP address to listen on. All addresses unless told otherwise: clients come from anywhere, and the channel protects itself.</summary>
    [Required]
    public string Address { get; set; } = "0.0.0.0";

    /// <summary>The TCP port; 0 takes any free one.</summary>
    [Range(0, 65535)]
    public int Port { get; set; }

    /// <summary>Largest payload in bytes before authentication. A hello takes 1,248, a login under 1,000.</summary>
    [Range(4096, 1024 * 1024)]
    public int PayloadBeforeAuthentication { get; set; } = ProtocolLimits.PayloadBeforeAuthentication;

    /// <summary>Largest payload in bytes after authentication.</summary>
    [Range(4096, 16 * 1024 * 1024)]
    public int PayloadAfterAuthentication { get; set; } = ProtocolLimits.PayloadAfterAuthentication;

    /// <summary>Seconds that a peer has for the handshake.</summary>
    [Range(1, 300)]
    public int HandshakeDeadlineSeconds { get; set; } = 10;

    /// <summary>Seconds that one frame may take from its first byte: 1 MiB in 30 s is 35 KB/s.</summary>
    [Range(1, 300)]
    public int FrameDeadlineSeconds { get; set; } = 30;

    /// <summary>Seconds that a channel may live without a login or ticket: enough for a slow stretching function.</summary>
    [Range(1, 3600)]
    public int SignInDeadlineSeconds { get; set; } = 60;

    /// <summary>Seconds of silence after which a signed-in peer is asked for a sign of life; 0 asks nobody and gives nobody up.</summary>
    [Range(0, 3600)]
    public int PingAfterSeconds { get; set; } = 30;

    /// <summary>Seconds of silence after which a signed-in peer's connection ends. It may be a sixth of <see cref="PingAfterSeconds"/> more.</summary>
    [Range(2, 7200)]
    public int DeadAfterSeconds { get; set; } = 75;

    /// <summary>Seconds that connections have to finish what is in flight when the server drains: a stop is to end before a supervisor's patience does.</summary>
    [Range(0, 300)]
    public int DrainGraceSeconds { get; set; } = DefaultDrainGraceSeconds;

    /// <summary>After how many seconds clients are told to come back when the server drains. Each is told up to twice as many, so that they do not all come at once.</summary>
    [Range(1, 3600)]
    public int DrainRetryAfterSeconds { get; set; } = 1;

    /// <summary>
    /// Networks of load balancers that tell in a PROXY protocol header who their client is, as <c>10.0.0.0/8</c>, separated by commas.
    /// From there the header is required, and the address in it counts for limits, lockouts and the audit log; from elsewhere none is read.
    /// </summary>
    public string ProxyTrustedNetworks { get; set; } = "";

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!IPAddress.TryParse(Address, out _))
        {
            yield return new ValidationResult("The field Address must be an IP address.", [nameof(Address)]);
        }

        if (TrustedProxies() is null)
        {
            yield return new ValidationResult(
                "The field ProxyTrustedNetworks must be networks such as 10.0.0.0/8 or fd00::/8, separated by commas.",
                [nameof(ProxyTrustedNetworks)]);
        }

        if (DeadAfterSeconds <= PingAfterSeconds)
        {
            yield return new ValidationResult(
                "The field DeadAfterSeconds must be more than PingAfterSeconds.", [nameof(DeadAfterSeconds)]);
        }
    }

    /// <summary>The networks whose proxies are trusted; null where the text does not name networks.</summary>
    internal IReadOnlyList<IPNetwork>? TrustedProxies()
    {
        var networks = new List<IPNetwork>();
        foreach (var text in ProxyTrustedNetworks.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!IPNetwork.TryParse(text, out var network))
            {
                return null;
            }

            networks.Add(network);
        }

        return networks;
    }

    internal ChannelOptions ForChannel(TimeProvider time) => new()
    {
        PayloadLimit = PayloadBeforeAuthentication,
        HandshakeDeadline = TimeSpan.FromSeconds(HandshakeDeadlineSeconds),
        FrameDeadline = TimeSpan.FromSeconds(FrameDeadlineSeconds),
        Time = time,
    };
}

/// <summary>Checks <see cref="WireOptions"/> at start, naming every wrong field.</summary>
[OptionsValidator]
public sealed partial class WireOptionsValidator : IValidateOptions<WireOptions>
{
}
