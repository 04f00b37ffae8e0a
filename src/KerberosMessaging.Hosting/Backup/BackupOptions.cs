using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>Backups that the server makes by itself. Section <c>Backup</c>.</summary>
public sealed class BackupOptions
{
    /// <summary>The configuration section these options are bound to.</summary>
    public const string SectionName = "Backup";

    /// <summary>The folder to put them in, which should be on another disk; made with mode 0700 when it is missing. Empty for no backups.</summary>
    public string Folder { get; set; } = "";

    /// <summary>Hours between two backups; 0 makes them only when an admin asks.</summary>
    [Range(0, 8760)]
    public int EveryHours { get; set; } = 24;

    /// <summary>How many are kept in the folder; older ones are removed when a new one was made.</summary>
    [Range(1, 1000)]
    public int Keep { get; set; } = 7;

    /// <summary>A file with the key that they are encrypted with: 32 bytes as 64 hexadecimal digits or base64. Without it they are not.</summary>
    public string? KeyFile { get; set; }

    internal bool IsOn => !string.IsNullOrWhiteSpace(Folder);

    internal bool IsScheduled => IsOn && EveryHours > 0;

    internal bool IsEncrypted => !string.IsNullOrWhiteSpace(KeyFile);
}

/// <summary>Checks <see cref="BackupOptions"/> at start.</summary>
[OptionsValidator]
public sealed partial class BackupOptionsValidator : IValidateOptions<BackupOptions>
{
}
