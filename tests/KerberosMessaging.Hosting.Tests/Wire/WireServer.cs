using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Tests.Admin;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Hosting.Tests.Wire;

/// <summary>A small server with a real socket, some requests, and a clock that the test turns.</summary>
internal sealed class WireServer : IAsyncDisposable
{
    private WireServer(WebApplication app, FakeTimeProvider time, LogLines log, Ed25519PrivateKey? key)
    {
        App = app;
        Time = time;
        Log = log;
        RealmKey = key?.PublicKey ?? default;
    }

    public static ServerId Id { get; } = ServerId.New();

    public WebApplication App { get; }

    public FakeTimeProvider Time { get; }

    public LogLines Log { get; }

    /// <summary>The key that clients expect; a copy, because the server disposes of its own.</summary>
    public ReadOnlyMemory<byte> RealmKey { get; }

    public SampleState State => App.Services.GetRequiredService<SampleState>();

    public ConnectionRegistry Connections => App.Services.GetRequiredService<ConnectionRegistry>();

    public DrainService Drain => App.Services.GetRequiredService<DrainService>();

    public int Port => App.Services.GetRequiredService<WireListener>().EndPoint.Port;

    /// <summary>The faults of the server's own.</summary>
    public IEnumerable<string> Errors => Log.Lines.Where(static line => line.Level >= LogLevel.Error).Select(static line => line.Text);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<WireServer> StartAsync(params (string Key, string Value)[] settings)
    {
        var server = Build(static _ => { }, isReady: true, settings);
        await server.App.StartAsync(Cancel);
        return server;
    }

    public static WireServer Build(Action<IServiceCollection> more, bool isReady, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        builder.Configuration["Wire:Address"] = "127.0.0.1";

        // Clocks are turned by hours here, and the peers of most tests read only what they wait for.
        builder.Configuration["Wire:PingAfterSeconds"] = "0";
        foreach (var (name, value) in settings)
        {
            builder.Configuration[name] = value;
        }

        var log = new LogLines();
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 2, 8, 0, 0, TimeSpan.Zero));
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Trace);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton<SampleState>();
        builder.Services.AddWire();
        builder.Services.AddRequest<EchoRequest, EchoHandler>(RequestAccess.Anyone);
        builder.Services.AddRequest<SignInRequest, SignInHandler>(RequestAccess.Anyone);
        builder.Services.AddRequest<ServerSignInRequest, ServerSignInHandler>(RequestAccess.Anyone);
        builder.Services.AddRequest<WhoAmIRequest, WhoAmIHandler>(RequestAccess.EnrolledServer);
        builder.Services.AddRequest<ExpensiveRequest, ExpensiveHandler>(RequestAccess.Anyone, ExpensiveRequest.Cost);
        builder.Services.AddPipelinedRequest<FreeRequest, ExpensiveHandler>(RequestAccess.Anyone, cost: 0);
        builder.Services.AddRequest<SlowRequest, SlowHandler>(RequestAccess.Anyone);
        builder.Services.AddRequest<FailRequest, FailHandler>(RequestAccess.Anyone);
        builder.Services.AddRequest<FillRequest, FillHandler>(RequestAccess.SignedIn);
        builder.Services.AddPipelinedRequest<PipelinedRequest, PipelinedHandler>(RequestAccess.Anyone);
        builder.Services.AddPipelinedRequest<PipelinedFailRequest, PipelinedFailHandler>(RequestAccess.Anyone);
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenWire());
        more(builder.Services);

        var app = builder.Build();
        var key = isReady ? Ed25519PrivateKey.Generate() : null;
        if (key is not null)
        {
            app.Services.GetRequiredService<ServerIdentity>().Set(Id, key);
        }

        return new WireServer(app, time, log, key);
    }

    /// <param name="from">The address to come from; any of 127.0.0.0/8.</param>
    public Task<WireClient> ConnectAsync(string from = WireClient.UsualAddress) => WireClient.ConnectAsync(Port, RealmKey, from: from);

    /// <summary>A connection with its handshake done, and the server's end of it.</summary>
    public async Task<(WireClient Client, WireConnection Connection)> ConnectBothAsync()
    {
        var client = await ConnectAsync();

        // The server registers the connection before it reads its first request.
        await client.EchoAsync();
        return (client, Connections.All.Single(connection => connection.Session == client.Session));
    }

    public async ValueTask DisposeAsync() => await App.DisposeAsync();
}
