using System.ComponentModel.DataAnnotations;
using KerberosMessaging.Cryptography;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>Lives of tickets and rules for registration. Section <c>Auth</c>.</summary>
public sealed class AuthOptions : IValidatableObject
{
    /// <summary>The configuration section these options are bound to.</summary>
    public const string SectionName = "Auth";

    /// <summary>Life of a ticket-granting ticket: a working day, as Kerberos realms have it.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")]
    public TimeSpan TicketLife { get; set; } = TimeSpan.FromHours(10);

    /// <summary>How long a ticket-granting ticket can be renewed without the password.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "90.00:00:00")]
    public TimeSpan RenewableLife { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Life of a service ticket: short, because it ends by itself where revocation cannot reach.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan ServiceTicketLife { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Life of a one-time enrolment token.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan EnrolmentTokenLife { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Life of an invite, where whoever makes it does not say.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "90.00:00:00")]
    public TimeSpan InviteLife { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Life of a token that resets a password.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan ResetTokenLife { get; set; } = TimeSpan.FromHours(24);

    /// <summary>For how long ended sessions are kept: addresses that a client came from are known by them.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "3650.00:00:00")]
    public TimeSpan SessionRetention { get; set; } = TimeSpan.FromDays(90);

    /// <summary>Who may register: Open for everybody, Invite for those with a one-time token, Closed for nobody.</summary>
    [AllowedValues(RegistrationPolicy.Open, RegistrationPolicy.Invite, RegistrationPolicy.Closed)]
    public RegistrationPolicy Registration { get; set; } = RegistrationPolicy.Open;

    /// <summary>Stretching function that new clients are asked to use: Argon2id, or Pbkdf2Sha256 for realms that need it.</summary>
    [AllowedValues(StretchingAlgorithm.Argon2id, StretchingAlgorithm.Pbkdf2Sha256)]
    public StretchingAlgorithm Stretching { get; set; } = StretchingAlgorithm.Argon2id;

    /// <summary>
    /// Fewest Unicode code points of a new password (NIST SP 800-63B, section 5.1.1.1). Clients are told and check it: this
    /// server never sees a password.
    /// </summary>
    [Range(1, 128)]
    public int MinimumPasswordLength { get; set; } = 8;

    /// <summary>
    /// A folder that the first message server can see, too, in which it finds the realm's fingerprint and, until one has enrolled, an
    /// enrolment token. Without it an admin makes the token.
    /// </summary>
    public string? HandOverFolder { get; set; }

    internal string? ConfiguredHandOverFolder => string.IsNullOrWhiteSpace(HandOverFolder) ? null : HandOverFolder;

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (RenewableLife < TicketLife)
        {
            yield return new ValidationResult(
                "The field RenewableLife must not be shorter than TicketLife.", [nameof(RenewableLife)]);
        }
    }

    internal StretchingParameters StretchingParameters => Stretching == StretchingAlgorithm.Pbkdf2Sha256
        ? StretchingParameters.Pbkdf2Default
        : StretchingParameters.Default;
}

/// <summary>Who may register.</summary>
public enum RegistrationPolicy
{
    /// <summary>Everybody.</summary>
    Open = 1,

    /// <summary>Whoever has a one-time token that an admin made.</summary>
    Invite = 2,

    /// <summary>Nobody; tokens that reset a password work.</summary>
    Closed = 3,
}

/// <summary>Checks <see cref="AuthOptions"/> at start.</summary>
[OptionsValidator]
public sealed partial class AuthOptionsValidator : IValidateOptions<AuthOptions>
{
}
