using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>Prepares the data folder and the sealing of long-term secrets in it.</summary>
public static class DataDirectory
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>
    /// Adds <see cref="DataOptions"/>, makes the folder, and adds Data Protection with its key ring in the folder's
    /// <c>keys</c>: long-term secrets are sealed with it.
    /// </summary>
    /// <param name="builder">The server being built.</param>
    /// <param name="applicationName">Separates the keys of different servers.</param>
    /// <returns>The options, as bound.</returns>
    /// <exception cref="OptionsValidationException">No folder is named.</exception>
    /// <exception cref="StartupException">The folder cannot be made or written.</exception>
    public static DataOptions AddDataDirectory(this WebApplicationBuilder builder, string applicationName)
    {
        builder.Services.AddOptions<DataOptions>().BindConfiguration(DataOptions.SectionName).ValidateOnStart();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<DataOptions>, DataOptionsValidator>());
        var options = builder.Configuration.GetSection(DataOptions.SectionName).Get<DataOptions>() ?? new DataOptions();
        if (new DataOptionsValidator().Validate(name: null, options) is { Failed: true } wrong)
        {
            throw new OptionsValidationException(DataOptions.SectionName, typeof(DataOptions), wrong.Failures);
        }

        Prepare(Path.GetFullPath(options.Directory), options.PathOf("keys"));
        builder.Services.AddDataProtection()
            .SetApplicationName(applicationName)
            .PersistKeysToFileSystem(new DirectoryInfo(options.PathOf("keys")));
        return options;
    }

    private static void Prepare(string folder, string keys)
    {
        try
        {
            // One after the other: a folder that is made on the way to another gets the usual mode.
            Create(folder);
            Create(keys);
            var probe = Path.Combine(keys, $".probe-{Guid.NewGuid():N}");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"the data folder '{folder}' cannot be written: {e.Message}", e);
        }
    }

    private static void Create(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, OwnerOnly);
        }
    }
}
