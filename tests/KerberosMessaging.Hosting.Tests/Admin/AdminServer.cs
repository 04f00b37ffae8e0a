using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Admin.Jobs;
using KerberosMessaging.Hosting.Startup;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Tests.Admin;

/// <summary>A small server with a real socket and the admin API, as the two servers set it up.</summary>
internal sealed class AdminServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private AdminServer(WebApplication app, LogLines log)
    {
        _app = app;
        Log = log;
        Token = app.Services.GetRequiredService<AdminToken>();
        Client = new HttpClient { BaseAddress = app.Services.GetRequiredService<AdminListener>().Address };
    }

    public LogLines Log { get; }

    public AdminToken Token { get; }

    /// <summary>Sends no token unless told to.</summary>
    public HttpClient Client { get; }

    public ReadinessState Readiness => _app.Services.GetRequiredService<ReadinessState>();

    public IServiceProvider Services => _app.Services;

    public MemoryStore Store => Services.GetRequiredService<MemoryStore>();

    public static Task<AdminServer> StartAsync(
        TempFolder folder, Action<WebApplicationBuilder>? configure = null, params (string Key, string Value)[] settings) =>
        StartAsync(folder, configure, SampleEndpoints.Map, settings);

    /// <summary>With the operations that both servers share instead of the samples.</summary>
    public static async Task<AdminServer> StartSharedAsync(
        TempFolder folder, MemoryStore store, TimeProvider time, Action<IServiceCollection>? configure = null, params (string Key, string Value)[] settings)
    {
        var server = await StartAsync(
            folder,
            builder =>
            {
                builder.Services.AddSingleton(store).AddSingleton(time).AddSingleton(new ServerOptions(OptionSections.With()));
                configure?.Invoke(builder.Services);
            },
            static admin =>
            {
                admin.MapAdminTokens();
                admin.MapJobs();
                admin.MapConfig();
            },
            settings);
        if (server.Token.NewlyMade is not null)
        {
            server.SignIn();
        }

        return server;
    }

    private static async Task<AdminServer> StartAsync(
        TempFolder folder, Action<WebApplicationBuilder>? configure, Action<RouteGroupBuilder> map, (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        builder.Configuration["Admin:TokenHashFile"] = folder.File("admin-token.hash");
        foreach (var (key, value) in settings)
        {
            builder.Configuration[key] = value;
        }

        var log = new LogLines();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.AddAdminApi("Sample admin", "Runs a sample.", typeof(AdminServer).Assembly);
        builder.Services.AddValidation();
        MemoryStore.Add(builder.Services);
        builder.WebHost.ConfigureKestrel(AdminListener.ListenAdmin);
        configure?.Invoke(builder);

        var app = builder.Build();
        try
        {
            await app.Services.GetRequiredService<AdminTokens>().LoadAsync(CancellationToken.None);
            map(app.UseAdminApi());
            app.MapGet("/outside", () => TypedResults.Ok());
            await app.StartAsync();
            return new AdminServer(app, log);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public void SignIn(string? token = null) =>
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token ?? Token.NewlyMade);

    public async Task<JsonElement> GetJsonAsync(string path)
    {
        using var response = await Client.GetAsync(path);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    /// <summary>Sends a request with a token of its own, or else the one signed in with.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, object? body = null, string? token = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(method, $"/admin/v1{path}") { Content = body is null ? null : JsonContent.Create(body) };
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        return await Client.SendAsync(request);
    }

    /// <summary>The JSON of the answer, which must have a status; nothing where it has no content.</summary>
    public async Task<JsonElement> CallAsync(
        HttpMethod method, string path, HttpStatusCode status, object? body = null, string? token = null, string? ifMatch = null)
    {
        using var response = await SendAsync(method, path, body, token, ifMatch);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == response.StatusCode, $"{method} {path}: {response.StatusCode} {text}");
        return text.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(text);
    }

    /// <summary>The code of the problem that refuses a request.</summary>
    public async Task<string?> RefusalAsync(HttpMethod method, string path, HttpStatusCode status, object? body = null, string? token = null, string? ifMatch = null) =>
        (await CallAsync(method, path, status, body, token, ifMatch)).GetProperty("code").GetString();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
