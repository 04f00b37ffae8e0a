using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Startup.Commands;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>Puts a backup into an empty data folder.</summary>
internal sealed class RestoreCommand : ServerCommand
{
    private static readonly CommandOption From = new("--from", "FILE", "The backup.", IsRequired: true);
    private static readonly CommandOption Key = new("--key", "KEYFILE", "The key that it was sealed under.");

    public override string Name => "restore";

    public override string Summary => "Puts a backup into an empty data folder.";

    public override IReadOnlyList<CommandOption> Options { get; } = [From, Key];

    public override Task RunAsync(CommandCall call, CancellationToken cancellationToken)
    {
        using var key = call.Find(Key) is { } file ? BackupKey.Read(file) : null;
        var options = DataDirectory.OptionsOf(call.Configuration);
        var manifest = BackupRestorer.Restore(call.Server.Data, options, call[From], key, cancellationToken);
        return call.Output.WriteLineAsync(
            $"{call.Server.Name}: the data of {manifest.MadeAt:u} is in {Path.GetFullPath(options.Directory)}{NextStep(options)}");
    }

    private static string NextStep(DataOptions options) =>
        options.GivenMasterKey is null && !File.Exists(options.MasterKeyPath) ? $"; put the master key at {options.MasterKeyPath} before the server starts" : "";
}
