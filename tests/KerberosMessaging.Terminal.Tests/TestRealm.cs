using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using KerberosMessaging.AuthServer;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.Terminal.Tests;

/// <summary>An auth server in this process, with its administrator, and a message server where a test needs one.</summary>
internal sealed class TestRealm : IAsyncDisposable
{
    private const string AdminToken = "kmsg_admin_for_these_tests";

    private readonly TempHome _folder = new();
    private WebApplication? _app;
    private WebApplication? _message;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private WebApplication App => _app!;

    private int Port => App.Services.GetRequiredService<WireListener>().EndPoint.Port;

    public static async Task<TestRealm> StartAsync(params string[] args)
    {
        var realm = new TestRealm();
        try
        {
            var tokenFile = TempHome.Write(realm._folder.Beside("admin-token"), AdminToken);
            realm._app = await AuthServerApp.BuildAsync(
            [
                "--Wire:Address=127.0.0.1",
                "--Wire:Port=0",
                "--Admin:Port=0",
                $"--Admin:TokenFile={tokenFile}",
                $"--Data:Directory={realm._folder.Beside("data")}",
                "--Logging:LogLevel:Default=Warning",
                .. args,
            ]);
            await realm.App.StartAsync(Cancel);
            return realm;
        }
        catch
        {
            await realm.DisposeAsync();
            throw;
        }
    }

    /// <summary>A realm through which messages go.</summary>
    public static async Task<TestRealm> StartWithMessagesAsync()
    {
        var realm = await StartAsync();
        try
        {
            realm._message = await MessageServerApp.BuildAsync(
            [
                "--Wire:Address=127.0.0.1",
                "--Wire:Port=0",
                "--Admin:Port=0",
                $"--Data:Directory={realm._folder.Beside("message")}",
                "--Logging:LogLevel:Default=Warning",
                $"--Realm:Port={realm.Port}",
                $"--Realm:Fingerprint={AuthServerApp.RealmFingerprint(realm.App)}",
                $"--Realm:EnrolmentToken={await AuthServerApp.CreateEnrolmentTokenAsync(realm.App)}",
            ]);
            await realm._message.StartAsync(Cancel);
            var readiness = realm._message.Services.GetRequiredService<ReadinessState>();
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (!readiness.IsReady)
            {
                await timer.WaitForNextTickAsync(Cancel);
            }

            return realm;
        }
        catch
        {
            await realm.DisposeAsync();
            throw;
        }
    }

    /// <summary>Tells a home folder of this realm.</summary>
    public void WriteTo(TempHome home) => home.WriteRealm(Port, AuthServerApp.RealmFingerprint(App));

    /// <summary>A token that registers one client.</summary>
    public Task<string> InviteAsync() => PostAsync("invites", new { });

    /// <summary>A token that resets the password of a client.</summary>
    public async Task<string> ResetAsync(string name)
    {
        using var http = Http();
        var clients = await http.GetFromJsonAsync<JsonElement>("admin/v1/clients", Cancel);
        var client = clients.GetProperty("items").EnumerateArray().Single(item => item.GetProperty("name").GetString() == name);
        return await PostAsync($"clients/{client.GetProperty("id").GetGuid()}/reset-token", null);
    }

    public async ValueTask DisposeAsync()
    {
        if (_message is not null)
        {
            await _message.DisposeAsync();
        }

        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        _folder.Dispose();
    }

    private async Task<string> PostAsync(string path, object? body)
    {
        using var http = Http();
        using var response = await http.PostAsync(
            new Uri($"admin/v1/{path}", UriKind.Relative), body is null ? null : JsonContent.Create(body), Cancel);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("token").GetString()!;
    }

    private HttpClient Http()
    {
        var http = new HttpClient { BaseAddress = App.Services.GetRequiredService<AdminListener>().Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", AdminToken);
        return http;
    }
}
