using KerberosMessaging.Terminal.Interaction;

namespace KerberosMessaging.Terminal.Home;

/// <summary>The folder that holds one realm and the accounts in it. It is made when something is first saved.</summary>
internal sealed class HomeFolder
{
    private const string Variable = "KMSG_HOME";
    private const string DefaultName = ".kmsg";

    private readonly IShell _shell;

    public HomeFolder(string? path, IShell shell)
    {
        _shell = shell;
        path ??= shell.GetEnvironment(Variable);
        Path = System.IO.Path.GetFullPath(string.IsNullOrEmpty(path) ? DefaultPath() : path);
    }

    public string Path { get; }

    public SavedRealm Realm => new(System.IO.Path.Combine(Path, "realm.json"));

    public Accounts Accounts => new(Path, _shell);

    private static string DefaultPath()
    {
        var profile = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return profile.Length > 0
            ? System.IO.Path.Combine(profile, DefaultName)
            : throw CommandException.Usage("there is no home directory to keep ~/.kmsg in", $"give --home DIR or set {Variable}");
    }
}
