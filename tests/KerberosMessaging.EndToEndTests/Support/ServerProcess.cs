using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>A server in a process of its own, told apart from one that could not start by its banner and its readiness.</summary>
internal sealed class ServerProcess : IRealmServer
{
    private readonly ServerProgramRun _run;

    private ServerProcess(ServerProgramRun run, int port, Uri admin) => (_run, Port, Admin) = (run, port, admin);

    public int Port { get; }

    public Uri Admin { get; }

    public ServerProgramRun Run => _run;

    public static async Task<ServerProcess> StartAsync(ServerProgramRun run, CancellationToken cancellationToken)
    {
        try
        {
            // "message server: clients connect to 127.0.0.1:1257, Swagger is at http://127.0.0.1:8082/swagger"
            var banner = await run.ExpectAsync("clients connect to", cancellationToken);
            var words = banner.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
            var address = words[Array.IndexOf(words, "to") + 1];
            var server = new ServerProcess(
                run,
                int.Parse(address[(address.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture),
                new Uri(words.Single(static word => word.StartsWith("http://", StringComparison.Ordinal)).Replace("swagger", "", StringComparison.Ordinal)));
            await server.WaitUntilReadyAsync(cancellationToken);
            return server;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes an enrolment token with the admin token that the server printed at its first start.</summary>
    public async Task<string> CreateEnrolmentTokenAsync(CancellationToken cancellationToken)
    {
        var line = await _run.ExpectAsync("admin token", cancellationToken);
        using var http = new HttpClient { BaseAddress = Admin };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", line[(line.LastIndexOf(' ') + 1)..]);
        using var response = await http.PostAsync(new Uri("admin/v1/enrolment-tokens", UriKind.Relative), null, cancellationToken);
        response.EnsureSuccessStatusCode();
        var created = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
        return created.GetProperty("token").GetString()!;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _run.Terminate();
        await _run.WaitForExitAsync(cancellationToken);
    }

    public Task KillAsync() => _run.KillAsync();

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = Admin };
        await Eventually.TrueAsync(
            async () =>
            {
                using var response = await http.GetAsync(new Uri("health/ready", UriKind.Relative), cancellationToken);
                return response.IsSuccessStatusCode;
            },
            cancellationToken);
    }
}
