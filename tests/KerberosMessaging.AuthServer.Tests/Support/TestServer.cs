using System.Net.Http.Headers;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>The whole server on free ports, in a folder of its own, with a clock that the test turns.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    public const string AdminToken = "kmsg_admin_for_these_tests";

    private readonly string[] _args;
    private WebApplication? _app;

    private TestServer(string[] args) => _args = args;

    public TempFolder Folder { get; } = new();

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 2, 8, 0, 0, TimeSpan.Zero));

    public LogLines Log { get; } = new();

    public WebApplication App => _app!;

    public RealmKeys Keys => App.Services.GetRequiredService<RealmKeys>();

    public int Port => App.Services.GetRequiredService<WireListener>().EndPoint.Port;

    public int OpenConnections => App.Services.GetRequiredService<ConnectionRegistry>().Count;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<TestServer> StartAsync(params string[] args)
    {
        var server = new TestServer(args);
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async Task StartAgainAsync()
    {
        await File.WriteAllTextAsync(Folder.File("admin-token"), AdminToken, Cancel);
        _app = await AuthServerApp.BuildAsync(
            [
                $"--Data:Directory={Folder.File("data")}",
                $"--Admin:TokenFile={Folder.File("admin-token")}",
                "--Wire:Address=127.0.0.1",

                // Clocks are turned by hours here: nobody could answer in time.
                "--Wire:PingAfterSeconds=0",
                "--Wire:Port=0",
                "--Admin:Port=0",

                // All of a test's load comes from one address, as no real load does; limits have tests of their own.
                "--Limits:RequestsBurstPerAddress=1000000",
                "--Limits:ConnectionsBurstPerAddress=1000000",
                .. _args,
            ],
            builder =>
            {
                builder.Logging.ClearProviders().AddProvider(Log).AddFilter<LogLines>(null, LogLevel.Trace);
                builder.Services.AddSingleton<TimeProvider>(Time);
            });
        await _app.StartAsync(Cancel);
    }

    public async Task StopAsync()
    {
        await App.StopAsync(Cancel);
        await App.DisposeAsync();
        _app = null;
    }

    /// <summary>A connection to the server, or to a proxy in front of it.</summary>
    public Task<TestClient> ConnectAsync(int? port = null) => TestClient.ConnectAsync(port ?? Port, Keys.Realm.PublicKey);

    /// <summary>A new client of the realm, and a first login of it on a connection that stays open.</summary>
    public async Task<(TestAccount Account, TestTicket Ticket, TestClient Client)> SignUpAsync(string name)
    {
        var account = new TestAccount(name);
        var client = await ConnectAsync();
        await client.RegisterAsync(account);
        return (account, await client.LoginAsync(account), client);
    }

    /// <summary>Enrols a message server.</summary>
    public async Task<TestMessageServer> EnrolAsync(string name = "msg-1")
    {
        var token = await AuthServerApp.CreateEnrolmentTokenAsync(App);
        await using var client = await ConnectAsync();
        return await TestMessageServer.EnrolAsync(client, token, name);
    }

    /// <summary>Returns when all that was queued for the database is on disk.</summary>
    public Task FlushAsync() => App.Services.GetRequiredService<AuthWriter>().WriteAsync(static _ => { }, Cancel);

    public async Task<T> ReadAsync<T>(Func<AuthDbContext, Task<T>> read)
    {
        await using var scope = App.Services.CreateAsyncScope();
        return await read(scope.ServiceProvider.GetRequiredService<AuthDbContext>());
    }

    public Task<List<SessionRow>> SessionsAsync() => ReadAsync(static database => database.Sessions.AsNoTracking().ToListAsync(Cancel));

    public Task<List<DeviceRow>> DevicesAsync() => ReadAsync(static database => database.Devices.AsNoTracking().ToListAsync(Cancel));

    public HttpClient Admin(bool withToken = true)
    {
        var client = new HttpClient { BaseAddress = App.Services.GetRequiredService<AdminListener>().Address };
        if (withToken)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", AdminToken);
        }

        return client;
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        Folder.Dispose();
    }
}
