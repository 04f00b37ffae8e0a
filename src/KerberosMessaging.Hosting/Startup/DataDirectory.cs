using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>Prepares the data folder and the sealing of long-term secrets in it.</summary>
public static partial class DataDirectory
{
    /// <summary>
    /// Adds <see cref="DataOptions"/>, makes the folder, and adds Data Protection with its key ring in the folder's
    /// <c>keys</c>, itself sealed under the master key: long-term secrets are sealed with it.
    /// </summary>
    /// <param name="builder">The server being built.</param>
    /// <param name="applicationName">Separates the keys of different servers.</param>
    /// <returns>The options, as bound.</returns>
    /// <exception cref="OptionsValidationException">No folder is named, or the master key is given twice.</exception>
    /// <exception cref="StartupException">The folder cannot be made or written, or the master key is missing or wrong.</exception>
    public static DataOptions AddDataDirectory(this WebApplicationBuilder builder, string applicationName)
    {
        builder.Services.AddOptions<DataOptions>().BindConfiguration(DataOptions.SectionName).ValidateOnStart();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<DataOptions>, DataOptionsValidator>());
        var options = OptionsOf(builder.Configuration);

        var keys = options.PathOf(KeyRing.Folder);
        Prepare(Path.GetFullPath(options.Directory), keys);
        var masterKey = KeyRing.Unlock(options);
        var exposed = KeyFiles(options).Where(PrivateFile.IsOpenToOthers).ToList();

        // By a factory, so that it is disposed of with the server.
        builder.Services.AddSingleton(_ => masterKey);
        builder.Services.AddDataProtection()
            .SetApplicationName(applicationName)
            .PersistKeysToFileSystem(new DirectoryInfo(keys));
        builder.Services.AddOptions<KeyManagementOptions>().Configure<MasterKey, ILoggerFactory>((ring, key, loggers) =>
        {
            ring.XmlEncryptor = new MasterKeyXmlEncryptor(key);

            // Secrets that are mounted into a container are often readable to all in it, so this is no reason not to start.
            exposed.ForEach(file => Log.KeyFileExposed(loggers.CreateLogger(typeof(DataDirectory)), file));
        });
        return options;
    }

    /// <summary>Reads the options.</summary>
    /// <exception cref="OptionsValidationException">They are wrong.</exception>
    internal static DataOptions OptionsOf(IConfiguration configuration)
    {
        var options = configuration.GetSection(DataOptions.SectionName).Get<DataOptions>() ?? new DataOptions();
        return new DataOptionsValidator().Validate(name: null, options) is { Failed: true } wrong
            ? throw new OptionsValidationException(DataOptions.SectionName, typeof(DataOptions), wrong.Failures)
            : options;
    }

    private static IEnumerable<string> KeyFiles(DataOptions options)
    {
        if (options.GivenMasterKey is null)
        {
            yield return options.MasterKeyPath;
        }

        if (options.ConfiguredPreviousMasterKeyFile is { } previous)
        {
            yield return previous;
        }
    }

    private static void Prepare(string folder, string keys)
    {
        try
        {
            // One after the other: a folder that is made on the way to another gets the usual mode.
            PrivateFile.CreateFolder(folder);
            PrivateFile.CreateFolder(keys);
            var probe = Path.Combine(keys, $".probe-{Guid.NewGuid():N}");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"the data folder '{folder}' cannot be written: {e.Message}", e);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1101, LogLevel.Warning, "The master key file '{File}' can be read or changed by others than its owner: give it mode 0600.")]
        public static partial void KeyFileExposed(ILogger logger, string file);
    }
}
