using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Telemetry;

/// <summary>Where figures and traces go. Section <c>Telemetry</c>.</summary>
public sealed class TelemetryOptions : IValidatableObject
{
    /// <summary>The configuration section these options are bound to.</summary>
    public const string SectionName = "Telemetry";

    /// <summary>
    /// Whether a request from this machine itself may read <c>/metrics</c> without a token. Not beside a proxy on this machine
    /// that hides where its requests come from.
    /// </summary>
    public bool OpenMetricsOnLoopback { get; set; }

    /// <summary>The address of an OpenTelemetry collector (OTLP) that is sent figures and traces; none is sent to anybody without it.</summary>
    public string? OtlpEndpoint { get; set; }

    /// <summary>How it is spoken to: <c>grpc</c>, mostly port 4317, or <c>http</c>, mostly port 4318.</summary>
    [AllowedValues("grpc", "http", ErrorMessage = "The field OtlpProtocol must be grpc or http.")]
    public string OtlpProtocol { get; set; } = "grpc";

    /// <summary>
    /// The part of all traces that is sent, from 0 to 1. It goes by the trace id, so both servers take the same tickets. A
    /// server handles far more requests than anybody wants to look at.
    /// </summary>
    [Range(0.0, 1.0)]
    public double TraceRatio { get; set; } = 0.1;

    /// <summary>The collector's address; null where none is set. Deployment files pass empty variables on for what is not set.</summary>
    internal Uri? Collector => string.IsNullOrWhiteSpace(OtlpEndpoint) ? null : new Uri(OtlpEndpoint);

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!string.IsNullOrWhiteSpace(OtlpEndpoint)
            && !(Uri.TryCreate(OtlpEndpoint, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)))
        {
            yield return new ValidationResult(
                "The field OtlpEndpoint must be an address such as http://127.0.0.1:4317.", [nameof(OtlpEndpoint)]);
        }
    }
}

/// <summary>Checks <see cref="TelemetryOptions"/> at start.</summary>
[OptionsValidator]
public sealed partial class TelemetryOptionsValidator : IValidateOptions<TelemetryOptions>
{
}
