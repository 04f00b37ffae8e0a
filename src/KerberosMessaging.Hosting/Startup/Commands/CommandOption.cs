namespace KerberosMessaging.Hosting.Startup.Commands;

/// <summary>An option of one command, which is no option of the configuration: its name has no colon.</summary>
/// <param name="Name">As it is written, such as <c>--to</c>.</param>
/// <param name="Value">What its value is called in the help; null where it takes none.</param>
/// <param name="Summary">What it does, in a few words.</param>
/// <param name="IsRequired">Whether the command does nothing without it.</param>
internal sealed record CommandOption(string Name, string? Value, string Summary, bool IsRequired = false)
{
    /// <summary>As the help shows it.</summary>
    public string Form => Value is null ? Name : $"{Name} {Value}";
}
