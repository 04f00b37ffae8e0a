using KerberosMessaging.Hosting.Backup;

namespace KerberosMessaging.Hosting.Startup.Commands;

/// <summary>The commands that every server's program has.</summary>
internal static class ServerCommands
{
    public static readonly IReadOnlyList<ServerCommand> All =
        [new HealthCheckCommand(), new BackupCommand(), new BackupNewKeyCommand(), new RestoreCommand()];

    /// <summary>Lists the commands and their options.</summary>
    public static void WriteHelp(ServerDefinition server, TextWriter output)
    {
        output.WriteLine($"{server.Name}: without a command it serves until it is told to stop.");
        output.WriteLine();
        output.WriteLine("Commands:");
        foreach (var command in All)
        {
            output.WriteLine($"  {command.Name,-22} {command.Summary}");
            foreach (var option in command.Options)
            {
                output.WriteLine($"    {option.Form,-20} {option.Summary}{(option.IsRequired ? " (required)" : "")}");
            }
        }

        output.WriteLine();
        output.WriteLine("All take the options of the configuration, such as --Data:Directory=DIR; docs/operations.md lists them.");
    }
}
