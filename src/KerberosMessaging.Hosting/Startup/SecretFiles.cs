using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.KeyPerFile;
using Microsoft.Extensions.FileProviders;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>
/// Options as files of a folder, as container engines mount secrets: <c>Data__MasterKey</c> holds <c>Data:MasterKey</c>. They override
/// the environment, which an image sets too, and give way to the command line.
/// </summary>
internal static class SecretFiles
{
    /// <summary>The variable that names the folder.</summary>
    public const string Variable = "KMSG_SECRETS";

    private const string UsualFolder = "/run/secrets";
    private const string Delimiter = "__";

    /// <summary>Adds the folder's files to the sources, where there is such a folder.</summary>
    /// <exception cref="StartupException">The folder that the variable names does not exist, or a file of it cannot be read.</exception>
    public static void Add(ConfigurationManager configuration)
    {
        var named = Environment.GetEnvironmentVariable(Variable);
        var folder = Path.GetFullPath(string.IsNullOrWhiteSpace(named) ? UsualFolder : named);
        if (!Directory.Exists(folder))
        {
            if (!string.IsNullOrWhiteSpace(named))
            {
                throw new StartupException($"the folder '{folder}' that {Variable} names does not exist.");
            }

            return;
        }

        var sources = (IList<IConfigurationSource>)configuration.Sources;
        var last = sources.Select(static (source, index) => source is CommandLineConfigurationSource ? index : -1).DefaultIfEmpty(-1).Max();
        try
        {
            sources.Insert(last < 0 ? sources.Count : last, new KeyPerFileConfigurationSource
            {
                FileProvider = new PhysicalFileProvider(folder),
                SectionDelimiter = Delimiter,

                // Other files there are somebody else's, or an option names them: a README, a token, a key.
                IgnoreCondition = static name => !name.Contains(Delimiter, StringComparison.Ordinal),
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"a file in the folder of secrets '{folder}' cannot be read: {e.Message}", e);
        }
    }
}
