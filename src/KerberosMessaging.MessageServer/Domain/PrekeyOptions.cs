using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>How often clients may fetch each other's prekeys. Section <c>Prekeys</c>.</summary>
internal sealed class PrekeyOptions
{
    public const string SectionName = "Prekeys";

    /// <summary>
    /// Fetches at once of one client from another: enough for new devices on both sides, a tenth of the one-time prekeys that a
    /// device has.
    /// </summary>
    [Range(1, 100_000)]
    public int FetchBurst { get; set; } = 10;

    /// <summary>After that, one fetch in so many seconds.</summary>
    [Range(1, 24 * 3600)]
    public int FetchIntervalSeconds { get; set; } = 60;

    /// <summary>
    /// From how many clients one client may fetch while its fetches from them still count, which bounds the memory that it
    /// takes. One that writes to more people than this for the first time must go slower.
    /// </summary>
    [Range(1, 1_000_000)]
    public int FetchedClients { get; set; } = 1000;
}

/// <summary>Checks <see cref="PrekeyOptions"/> at start.</summary>
[OptionsValidator]
internal sealed partial class PrekeyOptionsValidator : IValidateOptions<PrekeyOptions>;
