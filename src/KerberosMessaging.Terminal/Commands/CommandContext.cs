using System.CommandLine;
using System.Text;
using KerberosMessaging.Client;
using KerberosMessaging.Terminal.Home;
using KerberosMessaging.Terminal.Interaction;

namespace KerberosMessaging.Terminal.Commands;

/// <summary>What a command works with: the shell, and what its common options say.</summary>
internal sealed class CommandContext
{
    private const int MaxDeviceNameBytes = 64;

    private readonly string? _account;
    private readonly string? _keyFile;
    private readonly TimeSpan _timeout;

    public CommandContext(IShell shell, CommonOptions options, ParseResult parsed)
    {
        Shell = shell;
        Home = new HomeFolder(parsed.GetValue(options.Home), shell);
        _account = parsed.GetValue(options.As);
        _keyFile = parsed.GetValue(options.KeyFile);
        _timeout = options.TimeoutOf(parsed);
    }

    public IShell Shell { get; }

    public HomeFolder Home { get; }

    /// <summary>The account that the command is for.</summary>
    public AccountFolder ChooseAccount() => Home.Accounts.Choose(_account);

    /// <summary>Goes on with the login of the account that the command is for.</summary>
    /// <param name="patient">Whether to stay and connect again when servers go away, rather than to say so at once.</param>
    public MessagingClient Open(bool patient = false)
    {
        var realm = Home.Realm.Require();
        return Open(realm, ChooseAccount(), patient);
    }

    /// <summary>Goes on with the login of an account.</summary>
    public MessagingClient Open(RealmPin realm, AccountFolder account, bool patient = false)
    {
        if (!account.HasStore)
        {
            throw NotLoggedIn(account);
        }

        if (_keyFile is not null)
        {
            using var outerKey = KeyFile.Read(_keyFile, Shell.Error);
            return MessagingClient.OpenWithKeyFile(realm, outerKey, Options(account, patient));
        }

        using var key = account.Session.Load() ?? throw NotLoggedIn(account);
        try
        {
            return MessagingClient.Open(realm, key, Options(account, patient));
        }
        catch (ArgumentException e)
        {
            throw CommandException.Local("the session file is damaged", $"kmsg login {account.Name}", e);
        }
    }

    public MessagingOptions Options(AccountFolder account, bool patient = false)
    {
        var options = new MessagingOptions
        {
            StorePath = account.StorePath,
            DeviceName = DeviceName(),
            OperationTimeout = _timeout,
            Time = Shell.Time,
        };

        // Whoever waits at a prompt wants to know at once that a server is down. A first delay that does not fit the time
        // limit means: do not try again.
        return patient
            ? options with { LoggerFactory = new NoticeLogger(Shell.Error) }
            : options with { FirstReconnectDelay = _timeout };
    }

    /// <summary>Runs what has no time limit of its own.</summary>
    public async Task<T> InTimeAsync<T>(Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_timeout, Shell.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await action(either.Token);
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new MessagingException(
                MessagingFailure.Unreachable, $"the server did not answer within {_timeout.TotalSeconds:0} s", e);
        }
    }

    /// <summary>Says something that only a person wants to know.</summary>
    public void Tell(string line)
    {
        if (Shell.IsErrorTerminal)
        {
            Shell.Error.WriteLine(line);
        }
    }

    /// <summary>Tells a person what a device that is not linked cannot do.</summary>
    public void TellIfUnlinked(MessagingClient client)
    {
        if (!client.IsLinked)
        {
            Tell("this device is not linked: contacts do not accept its messages; run 'kmsg devices link'");
        }
    }

    private static CommandException NotLoggedIn(AccountFolder account) =>
        new(ExitCode.NotLoggedIn, $"{account.Name} is not logged in here", $"kmsg login {account.Name}");

    private static string DeviceName()
    {
        var name = Environment.MachineName;
        while (Encoding.UTF8.GetByteCount(name) > MaxDeviceNameBytes)
        {
            name = name[..^1];
        }

        return name.Length > 0 ? name : "kmsg";
    }
}
