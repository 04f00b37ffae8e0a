using KerberosMessaging.Hosting.Backup;
using Microsoft.AspNetCore.Builder;

namespace KerberosMessaging.Hosting.Startup.Commands;

/// <summary>What the commands of a server's program need to know of it.</summary>
public sealed record ServerDefinition
{
    /// <summary>What the server is called in its messages.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Reads the configuration as the server itself does, from all of its sources and the given arguments, and builds nothing. A wrong argument is
    /// a <see cref="StartupException"/>.
    /// </summary>
    public required Func<string[], WebApplicationBuilder> Configure { get; init; }

    /// <summary>What backups need to know of its data.</summary>
    public required ServerData Data { get; init; }
}
