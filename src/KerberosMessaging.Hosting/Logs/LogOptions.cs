using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Logs;

/// <summary>How the log is written. Section <c>Logs</c>; levels are in the framework's own section <c>Logging</c>.</summary>
public sealed class LogOptions
{
    /// <summary>The configuration section these options are bound to.</summary>
    public const string SectionName = "Logs";

    /// <summary>One line for people (<c>text</c>), or one JSON object a line for programs (<c>json</c>).</summary>
    [AllowedValues("text", "json", ErrorMessage = "The field Format must be text or json.")]
    public string Format { get; set; } = "text";
}

/// <summary>Checks <see cref="LogOptions"/> at start.</summary>
[OptionsValidator]
public sealed partial class LogOptionsValidator : IValidateOptions<LogOptions>
{
}
