using KerberosMessaging.AuthServer;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KerberosMessaging.Stack;

/// <summary>An auth server and a message server in one process, the second enrolled with the first.</summary>
internal sealed class RunningStack : IAsyncDisposable
{
    // A fraction of a second, but not on a laptop that is busy with something else.
    private static readonly TimeSpan EnrolmentTime = TimeSpan.FromMinutes(1);

    private readonly WebApplication _auth;
    private readonly WebApplication _message;

    private RunningStack(WebApplication auth, WebApplication message) => (_auth, _message) = (auth, message);

    public string Fingerprint => AuthServerApp.RealmFingerprint(_auth);

    public int AuthPort => WirePort(_auth);

    /// <summary>Starts both.</summary>
    /// <param name="options">How.</param>
    /// <param name="output">Where a newly made admin token is shown; null to show it nowhere.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<RunningStack> StartAsync(StackOptions options, TextWriter? output, CancellationToken cancellationToken)
    {
        var auth = await AuthServerApp.BuildAsync([], Configure(options, "auth", options.AuthPort, options.AuthAdminPort, []));
        try
        {
            // Before the start, which may fail: the token was made and stored by now, and nothing shows it later.
            WriteNewToken(auth, output);
            await auth.StartAsync(cancellationToken);
            return new RunningStack(auth, await StartMessageServerAsync(options, auth, cancellationToken));
        }
        catch
        {
            await auth.DisposeAsync();
            throw;
        }
    }

    public void WriteBanner(TextWriter output)
    {
        output.WriteLine($"realm address      {_auth.Services.GetRequiredService<WireListener>().EndPoint}");
        output.WriteLine($"realm fingerprint  {Fingerprint}");
        output.WriteLine($"auth server        Swagger at {SwaggerOf(_auth)}");
        output.WriteLine($"message server     Swagger at {SwaggerOf(_message)}");
        output.WriteLine("Ctrl+C stops both.");
    }

    /// <summary>Waits until either server is told to stop, and stops both.</summary>
    public async Task WaitForShutdownAsync()
    {
        await Task.WhenAny(_auth.WaitForShutdownAsync(), _message.WaitForShutdownAsync());
        await StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _message.DisposeAsync();
        await _auth.DisposeAsync();
    }

    private static void WriteNewToken(WebApplication auth, TextWriter? output)
    {
        if (auth.Services.GetRequiredService<AdminToken>().NewlyMade is { } token)
        {
            output?.WriteLine($"admin token        {token}");
            output?.WriteLine("                   (opens both Swagger pages; shown only this once)");
        }
    }

    private static async Task<WebApplication> StartMessageServerAsync(
        StackOptions options,
        WebApplication auth,
        CancellationToken cancellationToken)
    {
        var tokenFile = Path.GetFullPath(Path.Combine(options.Data, "message", "enrolment-token"));
        var message = await MessageServerApp.BuildAsync([], Configure(
            options,
            "message",
            options.MessagePort,
            options.MessageAdminPort,
            new()
            {
                ["Realm:Host"] = options.Address,
                ["Realm:Port"] = $"{WirePort(auth)}",
                ["Realm:Fingerprint"] = AuthServerApp.RealmFingerprint(auth),
                ["Realm:EnrolmentTokenFile"] = tokenFile,
                ["Realm:AdvertisedHost"] = options.Address,
            }));
        try
        {
            if (!message.Services.GetRequiredService<ServerIdentity>().IsSet)
            {
                await WriteTokenAsync(tokenFile, await AuthServerApp.CreateEnrolmentTokenAsync(auth), cancellationToken);
            }

            await message.StartAsync(cancellationToken);
            await WaitUntilReadyAsync(message.Services.GetRequiredService<ReadinessState>(), cancellationToken);
            File.Delete(tokenFile);
            return message;
        }
        catch
        {
            await message.DisposeAsync();
            throw;
        }
    }

    private static async Task WriteTokenAsync(string file, string token, CancellationToken cancellationToken)
    {
        var create = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            create.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var writer = new StreamWriter(file, create);
        await writer.WriteAsync(token.AsMemory(), cancellationToken);
    }

    private static async Task WaitUntilReadyAsync(ReadinessState readiness, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(EnrolmentTime);
        try
        {
            while (!readiness.IsReady)
            {
                await Task.Delay(20, deadline.Token);
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StartupException($"the message server did not become ready: {readiness.Reason}", e);
        }
    }

    private static Action<WebApplicationBuilder> Configure(
        StackOptions options,
        string folder,
        int wirePort,
        int adminPort,
        Dictionary<string, string?> more) => builder =>
        {
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>(more)
            {
                ["Data:Directory"] = Path.Combine(options.Data, folder),
                ["Wire:Address"] = options.Address,
                ["Wire:Port"] = $"{wirePort}",
                ["Admin:Port"] = $"{adminPort}",
                ["Logging:LogLevel:Default"] = options.LogLevel,

                // One token for both: whoever runs the stack rules both servers.
                ["Admin:TokenHashFile"] = Path.GetFullPath(Path.Combine(options.Data, "admin-token.hash")),
            });
        };

    private async Task StopAsync() => await Task.WhenAll(_auth.StopAsync(), _message.StopAsync());

    private static int WirePort(WebApplication app) => app.Services.GetRequiredService<WireListener>().EndPoint.Port;

    private static string SwaggerOf(WebApplication app) => $"{app.Services.GetRequiredService<AdminListener>().Address}swagger";
}
