using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace KerberosMessaging.Hosting.Startup.Commands;

/// <summary>One call of a command.</summary>
/// <param name="Server">Whose command it is.</param>
/// <param name="Builder">The server's builder, for its configuration; nothing is built.</param>
/// <param name="Options">The command's own options with their values; empty for one that takes none.</param>
/// <param name="Output">Where it says what it did.</param>
internal sealed record CommandCall(
    ServerDefinition Server, WebApplicationBuilder Builder, IReadOnlyDictionary<string, string> Options, TextWriter Output)
{
    public IConfiguration Configuration => Builder.Configuration;

    /// <summary>The value of an option that is not there must not be asked for.</summary>
    public string this[CommandOption option] => Options[option.Name];

    public bool Has(CommandOption option) => Options.ContainsKey(option.Name);

    public string? Find(CommandOption option) => Options.GetValueOrDefault(option.Name);
}
