using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>When keys are rotated by themselves. Section <c>Keys</c>.</summary>
public sealed class KeyOptions
{
    /// <summary>The configuration section these options are bound to.</summary>
    public const string SectionName = "Keys";

    /// <summary>Age at which the key of ticket-granting tickets is replaced.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00")]
    public TimeSpan TicketKeyLife { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Age at which the key that signs service tickets is replaced.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00")]
    public TimeSpan TicketSigningKeyLife { get; set; } = TimeSpan.FromDays(90);

    /// <summary>Age at which the long-term key of a message server is replaced.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00")]
    public TimeSpan ServiceKeyLife { get; set; } = TimeSpan.FromDays(30);
}

/// <summary>Checks <see cref="KeyOptions"/> at start.</summary>
[OptionsValidator]
public sealed partial class KeyOptionsValidator : IValidateOptions<KeyOptions>
{
}
