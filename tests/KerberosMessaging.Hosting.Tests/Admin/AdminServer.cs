using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
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

    public static async Task<AdminServer> StartAsync(
        TempFolder folder, Action<WebApplicationBuilder>? configure = null, params (string Key, string Value)[] settings)
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
            SampleEndpoints.Map(app.UseAdminApi());
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

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
