using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>Where a server keeps its database and keys, and what seals the keys. Section <c>Data</c>.</summary>
public sealed class DataOptions : IValidatableObject
{
    /// <summary>The configuration section these options are bound to.</summary>
    public const string SectionName = "Data";

    /// <summary>The folder; made with mode 0700 when it is missing.</summary>
    [Required]
    public string Directory { get; set; } = "data";

    /// <summary>
    /// A file with the master key, which the key ring is sealed under: 32 bytes as 64 hexadecimal digits or base64. Without it
    /// and <see cref="MasterKey"/> the key is <c>master.key</c> in the data folder, made at the first start with mode 0600.
    /// </summary>
    public string? MasterKeyFile { get; set; }

    /// <summary>The master key itself, for secrets that are given as environment variables.</summary>
    public string? MasterKey { get; set; }

    /// <summary>A file with the master key that was in force before: what is sealed under it is sealed anew at start.</summary>
    public string? PreviousMasterKeyFile { get; set; }

    /// <summary>The name in the data folder of the master key that a server makes for itself.</summary>
    internal const string MadeMasterKey = "master.key";

    internal string? GivenMasterKey => Given(MasterKey);

    internal string? ConfiguredMasterKeyFile => Given(MasterKeyFile);

    internal string? ConfiguredPreviousMasterKeyFile => Given(PreviousMasterKeyFile);

    /// <summary>The file with the master key, unless the key itself was given.</summary>
    internal string MasterKeyPath => ConfiguredMasterKeyFile ?? PathOf(MadeMasterKey);

    /// <summary>The path of a file in the folder.</summary>
    /// <param name="file">The file's name.</param>
    public string PathOf(string file) => Path.Combine(Path.GetFullPath(Directory), file);

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (GivenMasterKey is not null && ConfiguredMasterKeyFile is not null)
        {
            yield return new ValidationResult(
                "The fields MasterKey and MasterKeyFile exclude each other.", [nameof(MasterKey), nameof(MasterKeyFile)]);
        }
    }

    // Deployment files pass empty variables on for what is not set.
    private static string? Given(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;
}

/// <summary>Checks <see cref="DataOptions"/> at start.</summary>
[OptionsValidator]
public sealed partial class DataOptionsValidator : IValidateOptions<DataOptions>
{
}
