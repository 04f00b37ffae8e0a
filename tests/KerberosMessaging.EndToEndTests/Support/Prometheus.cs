using System.Net.Http.Json;
using System.Text.Json;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>An installed Prometheus with the configuration of <c>deploy</c>, which asks the servers of a realm. Without one its tests are skipped.</summary>
internal sealed class Prometheus : IAsyncDisposable
{
    private static readonly string[] Programs = ["/usr/bin/prometheus", "/usr/local/bin/prometheus"];

    private readonly TempFolder _folder = new();
    private readonly HttpClient _http = new();
    private ServerProgramRun? _run;

    private Prometheus()
    {
    }

    public static async Task<Prometheus> StartAsync(AdminRealm realm, CancellationToken cancellationToken)
    {
        var program = Array.Find(Programs, File.Exists);
        Assert.SkipWhen(program is null, $"No Prometheus is installed: looked for {string.Join(", ", Programs)}.");
        var started = new Prometheus();
        try
        {
            var deploy = Path.Combine(AppContext.BaseDirectory, "deploy");
            File.Copy(Path.Combine(deploy, "alerts.yml"), started._folder.File("alerts.yml"));
            await File.WriteAllTextAsync(
                started._folder.File("prometheus.yml"),
                ForRealm(await File.ReadAllTextAsync(Path.Combine(deploy, "prometheus.yml"), cancellationToken), realm),
                cancellationToken);
            started._run = ServerProgramRun.StartInstalled(
                program!, started._folder.Path, "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0");

            // … msg="Listening on" address=127.0.0.1:40395
            const string Address = "address=";
            var line = await started._run.Errors.FindAsync("msg=\"Listening on\"", cancellationToken);
            Assert.True(line is not null, $"Prometheus does not run:\n{string.Join('\n', started._run.Errors.All)}");
            started._http.BaseAddress = new Uri($"http://{line[(line.IndexOf(Address, StringComparison.Ordinal) + Address.Length)..].Trim()}/api/v1/");
            await started._run.Errors.FindAsync("ready to receive web requests", cancellationToken);
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>What a query finds now.</summary>
    /// <exception cref="HttpRequestException">It is not well formed.</exception>
    public async Task<JsonElement[]> QueryAsync(string expression, CancellationToken cancellationToken) =>
        [.. (await GetAsync($"query?query={Uri.EscapeDataString(expression)}", cancellationToken)).GetProperty("result").EnumerateArray()];

    /// <summary>The rules, each with name, health and state.</summary>
    public async Task<JsonElement[]> RulesAsync(CancellationToken cancellationToken) =>
    [
        .. (await GetAsync("rules", cancellationToken)).GetProperty("groups").EnumerateArray()
            .SelectMany(static group => group.GetProperty("rules").EnumerateArray()),
    ];

    public async ValueTask DisposeAsync()
    {
        await (_run?.DisposeAsync() ?? ValueTask.CompletedTask);
        _http.Dispose();
        _folder.Dispose();
    }

    private async Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) =>
        (await _http.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative), cancellationToken)).GetProperty("data");

    // As it is checked in but for where the servers and the tokens are, and for the pace.
    private static string ForRealm(string configuration, AdminRealm realm)
    {
        foreach (var (there, here) in new[]
        {
            ("auth:8081", realm.Auth.Authority),
            ("message:8082", realm.Message.Authority),
            ("/run/secrets/auth-token", realm.TokenFile),
            ("/run/secrets/message-token", realm.TokenFile),
            ("scrape_interval: 15s", "scrape_interval: 1s"),
            ("evaluation_interval: 15s", "evaluation_interval: 1s"),
        })
        {
            Assert.Contains(there, configuration, StringComparison.Ordinal);
            configuration = configuration.Replace(there, here, StringComparison.Ordinal);
        }

        return configuration;
    }
}
