using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using KerberosMessaging.Hosting.Admin;
using Microsoft.Extensions.Configuration;

namespace KerberosMessaging.Hosting.Startup.Commands;

/// <summary>
/// Asks the running server whether it is ready, at the admin port that the configuration names: for container engines, whose images have no
/// program to ask with.
/// </summary>
internal sealed class HealthCheckCommand : ServerCommand
{
    // Less than what supervisors wait for a check.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    public override string Name => "healthcheck";

    public override string Summary => "Says whether the running server is ready, by its exit code and in one line.";

    public override async Task RunAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var address = AddressOf(call.Configuration);
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };

        // The certificate is made out to the name that admins use. Whether it is trusted is not asked: this machine asks itself, and says nothing secret.
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null;
        using var client = new HttpClient(handler) { Timeout = Patience };
        try
        {
            using var response = await client.GetAsync(new Uri(address, "/health/ready"), cancellationToken);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw new StartupException($"not ready: {await ReasonAsync(response, cancellationToken)}");
            }

            await call.Output.WriteLineAsync($"{call.Server.Name}: ready");
        }
        catch (HttpRequestException e)
        {
            throw new StartupException($"nothing answers at {address}: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StartupException($"no answer from {address} within {Patience.TotalSeconds:0} s.", e);
        }
    }

    private static Uri AddressOf(IConfiguration configuration)
    {
        var options = configuration.GetSection(AdminOptions.SectionName).Get<AdminOptions>() ?? new AdminOptions();
        if (!IPAddress.TryParse(options.Address, out var address) || options.Port is < 0 or > IPEndPoint.MaxPort)
        {
            throw new StartupException("Admin:Address or Admin:Port is no address that a server could listen on.");
        }

        if (options.Port == 0)
        {
            throw new StartupException("with Admin:Port=0 the server takes any free port, so nobody knows which to ask: give it one.");
        }

        // A server that listens everywhere listens here, too.
        address = address.Equals(IPAddress.Any) ? IPAddress.Loopback : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address;
        return new UriBuilder(options.HasCertificate ? Uri.UriSchemeHttps : Uri.UriSchemeHttp, address.ToString(), options.Port).Uri;
    }

    // The reason is the detail of the problem document.
    private static async Task<string> ReasonAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            var problem = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            if (problem.ValueKind == JsonValueKind.Object && problem.TryGetProperty("detail", out var detail) && detail.GetString() is { } reason)
            {
                return reason.ReplaceLineEndings(" ");
            }
        }
        catch (JsonException)
        {
            // Something else than this server answers there; its status tells as much.
        }

        return $"status {(int)response.StatusCode}";
    }
}
