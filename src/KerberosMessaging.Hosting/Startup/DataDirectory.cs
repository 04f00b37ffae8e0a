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
    /// <exception cref="StartupException">The folder cannot be made or written.</exception>
    public static DataOptions AddDataDirectory(this WebApplicationBuilder builder, string applicationName)
    {
        builder.Services.AddOptions<DataOptions>().BindConfiguration(DataOptions.SectionName).ValidateOnStart();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<DataOptions>, DataOptionsValidator>());
        var options = builder.Configuration.GetSection(DataOptions.SectionName).Get<DataOptions>() ?? new DataOptions();
        Prepare(options.PathOf("keys"));
        builder.Services.AddDataProtection()
            .SetApplicationName(applicationName)
            .PersistKeysToFileSystem(new DirectoryInfo(options.PathOf("keys")));
        return options;
    }

    private static void Prepare(string directory)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(directory);
            }
            else
            {
                Directory.CreateDirectory(directory, OwnerOnly);
            }

            var probe = Path.Combine(directory, $".probe-{Guid.NewGuid():N}");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"the data folder '{Path.GetDirectoryName(directory)}' cannot be written: {e.Message}", e);
        }
    }
}
