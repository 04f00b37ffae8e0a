using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>How failed logins are slowed down. Section <c>Lockout</c>.</summary>
public sealed class LockoutOptions : IValidatableObject
{
    /// <summary>The configuration section these options are bound to.</summary>
    public const string SectionName = "Lockout";

    /// <summary>Failures under one name from one address before waits begin: people mistype.</summary>
    [Range(1, 1000)]
    public int FreeFailures { get; set; } = 5;

    /// <summary>
    /// Logins under one name from one address that may be under way at once, while there are free failures: each is one
    /// guess, and several devices of a person may start together.
    /// </summary>
    [Range(1, 10_000)]
    public int ParallelAttempts { get; set; } = 64;

    /// <summary>The first wait; it doubles with each further failure.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan FirstDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait before the lockout.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan LongestDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Failures under one name from one address that lock the name for that address.</summary>
    [Range(1, 10_000)]
    public int LockoutFailures { get; set; } = 10;

    /// <summary>How long such a lock lasts.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan LockoutTime { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Failures from one address, under whatever names, before it has to wait: a whole office may share the address.</summary>
    [Range(1, 1_000_000)]
    public int FreeFailuresPerAddress { get; set; } = 200;

    /// <summary>The longest such wait.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan LongestDelayPerAddress { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How many addresses must be locked for a name at once before the name is locked for all addresses that it was never
    /// logged in from.
    /// </summary>
    [Range(1, 10_000)]
    public int LockedAddresses { get; set; } = 10;

    /// <summary>Failures are forgotten when none was added for so long.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "90.00:00:00")]
    public TimeSpan ForgetAfter { get; set; } = TimeSpan.FromDays(1);

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (LockoutFailures < FreeFailures)
        {
            yield return new ValidationResult(
                "The field LockoutFailures must not be less than FreeFailures.", [nameof(LockoutFailures)]);
        }

        if (ForgetAfter < LockoutTime)
        {
            yield return new ValidationResult("The field ForgetAfter must not be shorter than LockoutTime.", [nameof(ForgetAfter)]);
        }
    }
}

/// <summary>Checks <see cref="LockoutOptions"/> at start.</summary>
[OptionsValidator]
public sealed partial class LockoutOptionsValidator : IValidateOptions<LockoutOptions>
{
}
