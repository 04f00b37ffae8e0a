using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Startup.Commands;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>Prints a new key for backups.</summary>
internal sealed class BackupNewKeyCommand : ServerCommand
{
    public override string Name => "backup new-key";

    public override string Summary => "Prints a new key for --encrypt-with; keep it apart from the backups.";

    public override Task RunAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var text = MasterKey.NewText();
        try
        {
            return call.Output.WriteAsync(Encoding.ASCII.GetString(text));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }
}
