namespace KerberosMessaging.Hosting.Startup;

/// <summary>
/// The command line of a server: <c>--Section:Option=value</c>, or the value as the next argument. Configuration ignores
/// what it does not know, and a misspelt option that silently does nothing is worse than a server that does not start.
/// </summary>
public static class ServerArguments
{
    private const string Form = "options are written --Section:Option=value";

    /// <summary>Sections whose options are not ours to list.</summary>
    private static readonly string[] OpenSections = ["Logging"];

    /// <summary>What hosting itself takes.</summary>
    private static readonly string[] HostOptions = ["environment", "contentRoot", "applicationName"];

    /// <summary>Refuses arguments that no section has.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="sections">The server's own sections: name and options class. Those of every server are known.</param>
    /// <exception cref="StartupException">Names the first argument that is wrong.</exception>
    public static void Check(string[] args, params ReadOnlySpan<(string Section, Type Options)> sections)
    {
        var known = OptionSections.With(sections);
        for (var i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal))
            {
                throw new StartupException($"unknown argument '{args[i]}'; {Form}.");
            }

            var equals = args[i].IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? args[i][2..] : args[i][2..equals];
            if (!IsKnown(name, known))
            {
                throw new StartupException($"unknown option '--{name}'; {Form}, and the sections here are {string.Join(", ", known.Select(static section => section.Section))}.");
            }

            if (equals < 0 && ++i == args.Length)
            {
                throw new StartupException($"the option '--{name}' has no value; {Form}.");
            }
        }
    }

    private static bool IsKnown(string name, IReadOnlyList<(string Section, Type Options)> known)
    {
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
        {
            return HostOptions.Contains(name, StringComparer.OrdinalIgnoreCase);
        }

        var (section, option) = (name[..colon], name[(colon + 1)..]);
        return OpenSections.Contains(section, StringComparer.OrdinalIgnoreCase)
            || known.Any(candidate => candidate.Section.Equals(section, StringComparison.OrdinalIgnoreCase)
                && OptionSections.Find(candidate.Options, option) is not null);
    }
}
