using KerberosMessaging.MessageServer.Realm;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Enrolment;

/// <summary>Fingerprint and token, from the options or from files that may appear, or change, while the server runs.</summary>
internal sealed class EnrolmentFiles(IOptions<RealmOptions> options)
{
    private readonly RealmOptions _options = options.Value;

    /// <summary>The realm's fingerprint.</summary>
    /// <exception cref="EnrolmentException">It cannot be read.</exception>
    public async Task<byte[]> ReadFingerprintAsync(CancellationToken cancellationToken)
    {
        var text = await ReadAsync(_options.Fingerprint, _options.FingerprintFile, "fingerprint", cancellationToken);
        return RealmFingerprint.TryParse(text, out var fingerprint)
            ? fingerprint
            : throw new EnrolmentException(
                $"the fingerprint file '{_options.FingerprintFile}' does not hold 64 hexadecimal digits", needsOperator: true);
    }

    /// <summary>The token.</summary>
    /// <exception cref="EnrolmentException">It cannot be read.</exception>
    public Task<string> ReadTokenAsync(CancellationToken cancellationToken) =>
        ReadAsync(_options.EnrolmentToken, _options.EnrolmentTokenFile, "enrolment token", cancellationToken);

    /// <summary>The token, or null where there is none: an enrolled server does without.</summary>
    public async Task<string?> TryReadTokenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return string.IsNullOrWhiteSpace(_options.EnrolmentToken) && string.IsNullOrWhiteSpace(_options.EnrolmentTokenFile)
                ? null
                : await ReadTokenAsync(cancellationToken);
        }
        catch (EnrolmentException)
        {
            // A file that was removed, or was not put there yet.
            return null;
        }
    }

    private static async Task<string> ReadAsync(string? value, string? file, string what, CancellationToken cancellationToken)
    {
        if (!string.IsNullOrWhiteSpace(value))
        {
            return value.Trim();
        }

        try
        {
            var text = (await File.ReadAllTextAsync(file!, cancellationToken)).Trim();
            return text.Length > 0
                ? text
                : throw new EnrolmentException($"the {what} file '{file}' is empty", needsOperator: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another server may still be about to write it.
            throw new EnrolmentException($"the {what} file '{file}' cannot be read yet", needsOperator: false, e);
        }
    }
}
