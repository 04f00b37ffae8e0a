using System.Text;

namespace KerberosMessaging.Terminal.Tests;

/// <summary>Somebody with an account of a realm, on one device.</summary>
internal sealed class Person : IDisposable
{
    public const string Password = "correct horse battery";

    private readonly string _name;

    public Person(TestRealm realm, string name)
    {
        _name = name;
        realm.WriteTo(Home);
    }

    public TempHome Home { get; } = new();

    public static async Task<Person> JoinAsync(TestRealm realm, string name)
    {
        var person = new Person(realm, name);
        await person.RunAsync(ExitCode.Ok, Piped(Password), "register", name, "--password-stdin");
        await person.LoginAsync();
        return person;
    }

    /// <summary>The same person on one more device.</summary>
    public static async Task<Person> LoginAsync(TestRealm realm, string name)
    {
        var person = new Person(realm, name);
        await person.LoginAsync();
        return person;
    }

    /// <summary>A shell of a script.</summary>
    public static ScriptedShell Piped(string input = "") => new()
    {
        Input = new MemoryStream(Encoding.UTF8.GetBytes(input)),
        Time = TimeProvider.System,
    };

    /// <summary>A shell of somebody at a terminal.</summary>
    public static ScriptedShell Terminal(string keys = "") => new()
    {
        Keys = keys,
        IsOutputTerminal = true,
        IsErrorTerminal = true,
        Time = TimeProvider.System,
    };

    public Task LoginAsync() => RunAsync(ExitCode.Ok, Piped(Password), "login", _name, "--password-stdin");

    public async Task<ScriptedShell> RunAsync(ExitCode expected, ScriptedShell shell, params string[] args)
    {
        var code = await Home.RunAsync(shell, [.. args, "--timeout", "60"]);
        Assert.True(code == expected, $"{_name}: {string.Join(' ', args)}: {code} instead of {expected}\n{shell.Errors}");
        return shell;
    }

    /// <summary>What a command prints to a script.</summary>
    public async Task<string> OutputAsync(params string[] args) =>
        (await RunAsync(ExitCode.Ok, Piped(), args)).Written.ReplaceLineEndings("\n");

    /// <summary>The ids of the account's devices, oldest first.</summary>
    public async Task<List<string>> DevicesAsync() =>
        [.. (await OutputAsync("devices", "list")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static row => row.Split('\t')[0])];

    public void Dispose() => Home.Dispose();
}
