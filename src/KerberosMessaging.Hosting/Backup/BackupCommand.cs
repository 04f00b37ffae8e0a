using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Startup.Commands;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>Writes a backup of the data folder, beside a running server or without one.</summary>
internal sealed class BackupCommand : ServerCommand
{
    private static readonly CommandOption To = new("--to", "FILE", "The backup to write.", IsRequired: true);
    private static readonly CommandOption EncryptWith = new("--encrypt-with", "KEYFILE", "Seals it under this key.");
    private static readonly CommandOption WithMasterKey = new("--with-master-key", null, "Puts the master key in, too; only with --encrypt-with.");

    public override string Name => "backup";

    public override string Summary => "Writes a backup of the data folder; the server may run.";

    public override IReadOnlyList<CommandOption> Options { get; } = [To, EncryptWith, WithMasterKey];

    public override Task RunAsync(CommandCall call, CancellationToken cancellationToken)
    {
        using var key = call.Find(EncryptWith) is { } file ? BackupKey.Read(file) : null;
        var manifest = BackupMaker.Make(
            call.Server.Data, DataDirectory.OptionsOf(call.Configuration), call[To], key, call.Has(WithMasterKey), TimeProvider.System, cancellationToken);
        return call.Output.WriteLineAsync($"{call.Server.Name}: {manifest.Parts.Count} files, {manifest.Parts.Sum(static part => part.Bytes)} bytes, in {call[To]}");
    }
}
