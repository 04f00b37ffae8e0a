using System.ComponentModel.DataAnnotations;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>Where the admin API listens and where its token comes from. Section <c>Admin</c>.</summary>
public sealed class AdminOptions : IValidatableObject
{
    /// <summary>The configuration section these options are bound to.</summary>
    public const string SectionName = "Admin";

    /// <summary>
    /// The IP address the admin API listens on. Loopback unless told otherwise: without a certificate the API speaks plain HTTP, and
    /// whoever holds its token rules the server, so reaching it from elsewhere is a decision to make on purpose.
    /// </summary>
    [Required]
    [IpAddress]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>The TCP port the admin API listens on; 0 takes any free one.</summary>
    [Range(0, 65535)]
    public int Port { get; set; }

    /// <summary>
    /// Path of a file that holds the token, such as a mounted secret. When set, the token is taken from it at start, and
    /// none is made or stored.
    /// </summary>
    public string? TokenFile { get; set; }

    /// <summary>
    /// Path of the file that keeps the hash of a token the server made for itself. Deleting it makes the server make (and
    /// print) a new token at its next start.
    /// </summary>
    public string TokenHashFile { get; set; } = "";

    /// <summary>
    /// A PEM file with the certificate of the admin API, and after it those between it and the root. With it the API speaks HTTPS alone.
    /// The file is read again when it changes.
    /// </summary>
    public string? CertificateFile { get; set; }

    /// <summary>A PEM file with the certificate's private key, not encrypted.</summary>
    public string? CertificateKeyFile { get; set; }

    internal bool HasCertificate => !string.IsNullOrWhiteSpace(CertificateFile);

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (string.IsNullOrWhiteSpace(TokenFile) && string.IsNullOrWhiteSpace(TokenHashFile))
        {
            yield return new ValidationResult(
                $"Either {nameof(TokenFile)} or {nameof(TokenHashFile)} must name a file.",
                [nameof(TokenFile), nameof(TokenHashFile)]);
        }

        if (HasCertificate == string.IsNullOrWhiteSpace(CertificateKeyFile))
        {
            yield return new ValidationResult(
                $"The fields {nameof(CertificateFile)} and {nameof(CertificateKeyFile)} must be set together.",
                [nameof(CertificateFile), nameof(CertificateKeyFile)]);
        }
    }
}
