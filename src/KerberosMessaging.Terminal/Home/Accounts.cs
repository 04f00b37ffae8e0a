using KerberosMessaging.Terminal.Interaction;

namespace KerberosMessaging.Terminal.Home;

/// <summary>The accounts of one home folder.</summary>
internal sealed class Accounts(string home, IShell shell)
{
    private const string Variable = "KMSG_USER";

    private string Folder => Path.Combine(home, "accounts");

    public AccountFolder Get(string name) => new(Path.Combine(Folder, AccountName.ToFolder(name)), home, shell);

    /// <summary>The account to use: the one asked for, or else the only one there is.</summary>
    public AccountFolder Choose(string? wanted)
    {
        if (wanted is null && shell.GetEnvironment(Variable) is { Length: > 0 } configured)
        {
            wanted = configured;
        }

        if (wanted is not null)
        {
            return Get(wanted);
        }

        return List() switch
        {
            [] => throw new CommandException(ExitCode.NotLoggedIn, "nobody has logged in here yet", "kmsg login NAME"),
            [var only] => only,
            var several => throw CommandException.Usage(
                $"there are several accounts: {string.Join(", ", several.Select(static account => account.Name))}",
                $"say which one with --as NAME or {Variable}"),
        };
    }

    private List<AccountFolder> List() => Directory.Exists(Folder)
        ? [.. Directory.EnumerateDirectories(Folder)
            .Order(StringComparer.Ordinal)
            .Select(path => new AccountFolder(path, home, shell))
            .Where(static account => account.HasStore)]
        : [];
}
