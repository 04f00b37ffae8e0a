using System.Net.Http.Headers;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>The whole server on free ports, with keys that the test holds and a clock that it may turn.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    public const string AdminToken = "kmsg_admin_for_these_tests";

    private readonly TempFolder _folder = new();
    private readonly string[] _args;
    private WebApplication? _app;

    private TestServer(FakeTimeProvider? time, TestRealm realm, string[] args) => (Time, Realm, _args) = (time, realm, args);

    public FakeTimeProvider? Time { get; }

    public TestRealm Realm { get; }

    public LogLines Log { get; } = new();

    public WebApplication App => _app!;

    public string Folder => _folder.FullName;

    public string Database => _folder.File("message.db");

    public DateTimeOffset Now => (Time ?? TimeProvider.System).GetUtcNow();

    /// <summary>A server that is enrolled in <see cref="Realm"/>.</summary>
    public static Task<TestServer> StartAsync(FakeTimeProvider? time = null, params string[] args) =>
        StartAsync(new TestRealm(), time, args);

    /// <summary>A server that is enrolled in a realm, which it takes over.</summary>
    public static async Task<TestServer> StartAsync(TestRealm realm, FakeTimeProvider? time, params string[] args)
    {
        var server = new TestServer(time, realm, args);
        await server.Realm.EnrolAsync(server._folder.FullName);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>A server that is not enrolled anywhere.</summary>
    public static async Task<TestServer> StartNewAsync(FakeTimeProvider time, Func<TempFolder, string[]> args)
    {
        var server = new TestServer(time, new TestRealm(), []);
        await server.StartAgainAsync(args(server._folder));
        return server;
    }

    public async Task StartAgainAsync(params string[] more)
    {
        await File.WriteAllTextAsync(_folder.File("admin-token"), AdminToken);
        _app = await MessageServerApp.BuildAsync(
            [
                $"--Data:Directory={_folder.FullName}",
                $"--Admin:TokenFile={_folder.File("admin-token")}",
                "--Wire:Address=127.0.0.1",

                // Clocks are turned by hours here: nobody could answer in time.
                "--Wire:PingAfterSeconds=0",
                "--Wire:Port=0",
                "--Admin:Port=0",

                // Nobody listens there, unless the test says where somebody does.
                "--Realm:Port=1",
                .. _args,
                .. more,
            ],
            builder =>
            {
                builder.Logging.ClearProviders().AddProvider(Log);
                if (Time is not null)
                {
                    builder.Services.AddSingleton<TimeProvider>(Time);
                }
            });
        await _app.StartAsync();
    }

    public async Task StopAsync()
    {
        await App.StopAsync();
        await App.DisposeAsync();
        _app = null;
    }

    public Task<TestClient> ConnectAsync(CancellationToken cancellationToken, ReadOnlyMemory<byte>? serverKey = null) =>
        TestClient.ConnectAsync(
            App.Services.GetRequiredService<WireListener>().EndPoint.Port, serverKey ?? Realm.ServerKey.PublicKey, cancellationToken);

    public async Task<TestClient> SignInAsync(TestDevice device, CancellationToken cancellationToken)
    {
        var client = await ConnectAsync(cancellationToken);
        await Realm.Issue(device, Now).PresentAsync(client.Connection, cancellationToken);
        return client;
    }

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

        Realm.Dispose();
        _folder.Dispose();
    }
}
