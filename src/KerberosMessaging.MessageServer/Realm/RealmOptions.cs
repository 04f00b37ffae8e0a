using System.ComponentModel.DataAnnotations;
using System.Text;
using KerberosMessaging.Protocol;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Realm;

/// <summary>
/// The realm that this server belongs to and how it is to be listed there. Section <c>Realm</c>. Fingerprint and token are
/// for the enrolment; everything else is needed at every start, because the server keeps a connection to the auth server.
/// </summary>
internal sealed class RealmOptions : IValidatableObject
{
    public const string SectionName = "Realm";

    /// <summary>Host name or address of the auth server. Needed as long as this server is a member of the realm.</summary>
    [Required]
    public string Host { get; set; } = "127.0.0.1";

    /// <summary>TCP port of the auth server. Needed as long as this server is a member of the realm.</summary>
    [Range(1, 65535)]
    public int Port { get; set; } = 1256;

    /// <summary>
    /// The realm's fingerprint: 64 hexadecimal digits, as the auth server prints it. Only for the first enrolment: from then
    /// on the realm's key is stored, and nothing but that key is accepted.
    /// </summary>
    public string? Fingerprint { get; set; }

    /// <summary>A file with the fingerprint; read at each try, so that it may appear after this server started.</summary>
    public string? FingerprintFile { get; set; }

    /// <summary>
    /// The one-time enrolment token. One that was used may stay where it is. When the realm refuses an enrolled server,
    /// another token, made for this server's id, enrols it anew; its mailboxes stay.
    /// </summary>
    public string? EnrolmentToken { get; set; }

    /// <summary>A file with the token; read at each try, so that it may appear, or be replaced, after this server started.</summary>
    public string? EnrolmentTokenFile { get; set; }

    /// <summary>A name for people. A change takes effect at the next start, as do changes of the two below.</summary>
    [Required]
    public string Name { get; set; } = "message-1";

    /// <summary>The host name or address that clients are told.</summary>
    [Required]
    public string AdvertisedHost { get; set; } = "127.0.0.1";

    /// <summary>The port that clients are told; 0 for the one that this server listens on.</summary>
    [Range(0, 65535)]
    public int AdvertisedPort { get; set; }

    /// <summary>How this server is to be listed.</summary>
    /// <param name="listeningPort">The port that it listens on.</param>
    public AdvertisedAddress Advertise(int listeningPort) =>
        new(Name, AdvertisedHost, (ushort)(AdvertisedPort == 0 ? listeningPort : AdvertisedPort));

    /// <summary>Why the options do not suffice for an enrolment; null when they do.</summary>
    public string? Missing()
    {
        var missing = new List<string>();
        if (string.IsNullOrWhiteSpace(Fingerprint) && string.IsNullOrWhiteSpace(FingerprintFile))
        {
            missing.Add("Realm:Fingerprint (or Realm:FingerprintFile)");
        }

        if (string.IsNullOrWhiteSpace(EnrolmentToken) && string.IsNullOrWhiteSpace(EnrolmentTokenFile))
        {
            missing.Add("Realm:EnrolmentToken (or Realm:EnrolmentTokenFile)");
        }

        return missing.Count == 0 ? null : string.Join(" and ", missing);
    }

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!string.IsNullOrWhiteSpace(Fingerprint) && !RealmFingerprint.TryParse(Fingerprint, out _))
        {
            yield return new ValidationResult(
                "The field Fingerprint must have 64 hexadecimal digits; colons and spaces do not matter.", [nameof(Fingerprint)]);
        }

        foreach (var (field, value, limit) in new[]
        {
            (nameof(EnrolmentToken), EnrolmentToken, ProtocolLimits.TokenBytes),
            (nameof(Name), Name, ProtocolLimits.NameBytes),
            (nameof(AdvertisedHost), AdvertisedHost, ProtocolLimits.HostBytes),
        })
        {
            if (value is not null && Encoding.UTF8.GetByteCount(value) > limit)
            {
                yield return new ValidationResult($"The field {field} must not be longer than {limit} bytes.", [field]);
            }
        }
    }
}

/// <summary>What clients are told of this server.</summary>
internal sealed record AdvertisedAddress(string Name, string Host, ushort Port);

/// <summary>Checks <see cref="RealmOptions"/> at start, naming every wrong field.</summary>
[OptionsValidator]
internal sealed partial class RealmOptionsValidator : IValidateOptions<RealmOptions>;
