using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Health;

/// <summary>When a server calls itself degraded or unhealthy. Section <c>Health</c>.</summary>
public sealed class HealthOptions : IValidatableObject
{
    /// <summary>The configuration section these options are bound to.</summary>
    public const string SectionName = "Health";

    /// <summary>Free bytes on the disk of the data folder below which the server is degraded: time to act while all still works.</summary>
    [Range(0, 1L << 46)]
    public long LowDiskBytes { get; set; } = 2L * 1024 * 1024 * 1024;

    /// <summary>Free bytes below which it is unhealthy: as much as the message server keeps free by refusing messages.</summary>
    [Range(0, 1L << 46)]
    public long CriticalDiskBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>Seconds that a write to the database may take before the server counts as unhealthy.</summary>
    [Range(1, 60)]
    public int WriteDeadlineSeconds { get; set; } = 5;

    /// <summary>Seconds that an answer is given again without looking anew: whoever asks often causes no writes.</summary>
    [Range(1, 60)]
    public int FreshSeconds { get; set; } = 5;

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (LowDiskBytes < CriticalDiskBytes)
        {
            yield return new ValidationResult("The field LowDiskBytes must not be less than CriticalDiskBytes.", [nameof(LowDiskBytes)]);
        }
    }
}

/// <summary>Checks <see cref="HealthOptions"/> at start.</summary>
[OptionsValidator]
public sealed partial class HealthOptionsValidator : IValidateOptions<HealthOptions>
{
}
