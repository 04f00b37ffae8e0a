using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Wire.Limits;

/// <summary>
/// How much of the server its peers may take. Section <c>Limits</c>. The defaults are for two cores and thousands of clients,
/// hundreds of them behind one address (an office, a mobile network). An IPv6 address counts as its /64. Rates are token
/// buckets: so many at once (burst), and then so many a second.
/// </summary>
public sealed class LimitOptions
{
    /// <summary>The configuration section these options are bound to.</summary>
    public const string SectionName = "Limits";

    private const int Most = 1_000_000;

    /// <summary>Most open connections. One takes some tens of kilobytes.</summary>
    [Range(1, Most)]
    public int Connections { get; set; } = 10_000;

    /// <summary>Most open connections of one address.</summary>
    [Range(1, Most)]
    public int ConnectionsPerAddress { get; set; } = 1_000;

    /// <summary>Most connections that are in the handshake at once.</summary>
    [Range(1, Most)]
    public int Handshakes { get; set; } = 2_000;

    /// <summary>Most connections that are not signed in at once, those in the handshake among them.</summary>
    [Range(1, Most)]
    public int NotSignedIn { get; set; } = 4_000;

    /// <summary>How many percent of <see cref="Handshakes"/> and of <see cref="NotSignedIn"/> one address may take.</summary>
    [Range(1, 100)]
    public int AddressSharePercent { get; set; } = 25;

    /// <summary>New connections a second: a quarter of the handshakes that two cores can do.</summary>
    [Range(1, Most)]
    public int ConnectionsPerSecond { get; set; } = 1_000;

    /// <summary>New connections at once: all clients come back together after a restart.</summary>
    [Range(1, Most)]
    public int ConnectionsBurst { get; set; } = 10_000;

    /// <summary>New connections a second of one address.</summary>
    [Range(1, Most)]
    public int ConnectionsPerSecondPerAddress { get; set; } = 200;

    /// <summary>New connections at once of one address.</summary>
    [Range(1, Most)]
    public int ConnectionsBurstPerAddress { get; set; } = 1_000;

    /// <summary>Requests a second of one signed-in client, over all of its connections. An expensive request counts as several.</summary>
    [Range(1, Most)]
    public int RequestsPerSecondPerClient { get; set; } = 2_000;

    /// <summary>Requests at once of one signed-in client.</summary>
    [Range(1, Most)]
    public int RequestsBurstPerClient { get; set; } = 10_000;

    /// <summary>Requests a second from one address on connections that are not signed in. An expensive request counts as several.</summary>
    [Range(1, Most)]
    public int RequestsPerSecondPerAddress { get; set; } = 200;

    /// <summary>Requests at once from one address on connections that are not signed in.</summary>
    [Range(1, Most)]
    public int RequestsBurstPerAddress { get; set; } = 5_000;

    /// <summary>What one address may take of a number of slots; never nothing.</summary>
    internal int ShareOf(int slots) => (int)Math.Max(1, (long)slots * AddressSharePercent / 100);
}

/// <summary>Checks <see cref="LimitOptions"/> at start, naming every wrong field.</summary>
[OptionsValidator]
public sealed partial class LimitOptionsValidator : IValidateOptions<LimitOptions>
{
}
