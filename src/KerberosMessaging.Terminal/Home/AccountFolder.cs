using KerberosMessaging.Terminal.Interaction;

namespace KerberosMessaging.Terminal.Home;

/// <summary>Where one account's store is, and its session while a login lasts.</summary>
internal sealed class AccountFolder(string path, string home, IShell shell)
{
    public string Name => AccountName.FromFolder(Path.GetFileName(path));

    public string StorePath => Path.Combine(path, "store.db");

    public bool HasStore => File.Exists(StorePath);

    public SessionFile Session => new(Path.Combine(path, "session"), home, Path.GetFileName(path), shell);
}
