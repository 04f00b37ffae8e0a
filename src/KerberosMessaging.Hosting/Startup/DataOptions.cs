using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>Where a server keeps its database and keys. Section <c>Data</c>.</summary>
public sealed class DataOptions
{
    /// <summary>The configuration section these options are bound to.</summary>
    public const string SectionName = "Data";

    /// <summary>The folder; made with mode 0700 when it is missing.</summary>
    [Required]
    public string Directory { get; set; } = "data";

    /// <summary>The path of a file in the folder.</summary>
    /// <param name="file">The file's name.</param>
    public string PathOf(string file) => Path.Combine(Path.GetFullPath(Directory), file);
}

/// <summary>Checks <see cref="DataOptions"/> at start.</summary>
[OptionsValidator]
public sealed partial class DataOptionsValidator : IValidateOptions<DataOptions>
{
}
