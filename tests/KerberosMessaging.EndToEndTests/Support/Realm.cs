using KerberosMessaging.AuthServer;
using KerberosMessaging.Client;
using KerberosMessaging.MessageServer;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>
/// An auth server and a message server that is enrolled with it, on free ports and a folder of their own; in this process
/// or in two others. Each can be ended and started again on its port and its data.
/// </summary>
internal sealed class Realm : IAsyncDisposable
{
    private const string AuthProgram = "KerberosMessaging.AuthServer";
    private const string MessageProgram = "KerberosMessaging.MessageServer";

    private readonly bool _inProcesses;
    private readonly RealmSetup _setup;
    private IRealmServer? _auth;
    private IRealmServer? _message;

    private Realm(bool inProcesses, RealmSetup? setup)
    {
        _inProcesses = inProcesses;
        _setup = setup ?? new RealmSetup();
    }

    public TempFolder Folder { get; } = new();

    /// <summary>What clients pin; a test may put a proxy in front.</summary>
    public RealmPin Pin { get; set; } = null!;

    public int MessagePort { get; private set; }

    public IRealmServer Auth => _auth ?? throw new InvalidOperationException("The auth server does not run.");

    public IRealmServer Message => _message ?? throw new InvalidOperationException("The message server does not run.");

    /// <summary>What the auth server of this process is made of.</summary>
    public IServiceProvider AuthServices => ((HostedServer)Auth).App.Services;

    /// <summary>What the message server of this process is made of.</summary>
    public IServiceProvider MessageServices => ((HostedServer)Message).App.Services;

    /// <summary>Starts both servers in this process.</summary>
    public static Task<Realm> StartAsync(CancellationToken cancellationToken, RealmSetup? setup = null) =>
        StartAsync(new Realm(inProcesses: false, setup), cancellationToken);

    /// <summary>Starts both servers in processes of their own.</summary>
    public static Task<Realm> StartProcessesAsync(CancellationToken cancellationToken, RealmSetup? setup = null) =>
        StartAsync(new Realm(inProcesses: true, setup), cancellationToken);

    public async Task StopAuthAsync(CancellationToken cancellationToken)
    {
        await Auth.StopAsync(cancellationToken);
        _auth = null;
    }

    public async Task StopMessageAsync(CancellationToken cancellationToken)
    {
        await Message.StopAsync(cancellationToken);
        _message = null;
    }

    public async Task KillAuthAsync()
    {
        await Auth.KillAsync();
        _auth = null;
    }

    public async Task KillMessageAsync()
    {
        await Message.KillAsync();
        _message = null;
    }

    /// <summary>Starts the auth server again, where it was.</summary>
    public Task StartAuthAsync(CancellationToken cancellationToken) => StartAuthAsync(Pin.Port, cancellationToken);

    /// <summary>Starts the message server again, where it was.</summary>
    public Task StartMessageAsync(CancellationToken cancellationToken) => StartMessageAsync(MessagePort, [], cancellationToken);

    /// <summary>Starts the message server again, on another port or with further options.</summary>
    public async Task StartMessageAsync(int port, CancellationToken cancellationToken, params string[] more)
    {
        await StartMessageAsync(port, more, cancellationToken);
        MessagePort = Message.Port;
    }

    public async ValueTask DisposeAsync()
    {
        if (_message is not null)
        {
            await _message.DisposeAsync();
        }

        if (_auth is not null)
        {
            await _auth.DisposeAsync();
        }

        Folder.Dispose();
    }

    private static async Task<Realm> StartAsync(Realm realm, CancellationToken cancellationToken)
    {
        try
        {
            if (realm._setup.Data is { } data)
            {
                realm.Folder.CopyIn(data);
            }

            var fingerprint = await realm.StartAuthAsync(port: 0, cancellationToken);
            realm.Pin = new RealmPin { Host = "127.0.0.1", Port = realm.Auth.Port, Fingerprint = fingerprint };
            var token = realm.Auth is ServerProcess process
                ? await process.CreateEnrolmentTokenAsync(cancellationToken)
                : await AuthServerApp.CreateEnrolmentTokenAsync(((HostedServer)realm.Auth).App);
            await realm.StartMessageAsync(
                port: 0,
                [$"--Realm:Fingerprint={fingerprint}", $"--Realm:EnrolmentToken={token}"],
                cancellationToken);
            realm.MessagePort = realm.Message.Port;
            return realm;
        }
        catch
        {
            await realm.DisposeAsync();
            throw;
        }
    }

    private async Task<string> StartAuthAsync(int port, CancellationToken cancellationToken)
    {
        string[] args = [.. Common("auth", port), .. _setup.Auth];
        if (_inProcesses)
        {
            var server = await ServerProcess.StartAsync(
                ServerProgramRun.Start(AuthProgram, Folder.Path, args), cancellationToken);
            _auth = server;
            var line = await server.Run.ExpectAsync("realm fingerprint", cancellationToken);
            return line[(line.LastIndexOf(' ') + 1)..];
        }

        var hosted = await HostedServer.StartAsync(await AuthServerApp.BuildAsync(args, _setup.Configure), cancellationToken);
        _auth = hosted;
        return AuthServerApp.RealmFingerprint(hosted.App);
    }

    private async Task StartMessageAsync(int port, string[] more, CancellationToken cancellationToken)
    {
        string[] args = [.. Common("message", port), $"--Realm:Port={Pin.Port}", .. _setup.Message, .. more];
        _message = _inProcesses
            ? await ServerProcess.StartAsync(ServerProgramRun.Start(MessageProgram, Folder.Path, args), cancellationToken)
            : await HostedServer.StartAsync(await MessageServerApp.BuildAsync(args, _setup.Configure), cancellationToken);
    }

    private IEnumerable<string> Common(string folder, int port) =>
    [
        "--Wire:Address=127.0.0.1",
        $"--Wire:Port={port}",
        "--Admin:Port=0",
        $"--Data:Directory={Folder.File(folder)}",
        "--Logging:LogLevel:Default=Warning",
    ];
}
