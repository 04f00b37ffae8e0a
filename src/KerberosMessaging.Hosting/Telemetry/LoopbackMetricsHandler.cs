using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Telemetry;

/// <summary>Lets this machine itself read <c>/metrics</c> without a token, where the option says so.</summary>
internal sealed class LoopbackMetricsHandler(IOptions<TelemetryOptions> options) : IAuthorizationHandler
{
    public Task HandleAsync(AuthorizationHandlerContext context)
    {
        if (options.Value.OpenMetricsOnLoopback
            && context.Resource is HttpContext { Connection.RemoteIpAddress: { } peer } http
            && http.GetEndpoint()?.Metadata.GetMetadata<Open>() is not null
            && IPAddress.IsLoopback(peer)
            && !IsForwarded(http.Request.Headers))
        {
            foreach (var requirement in context.PendingRequirements.ToArray())
            {
                context.Succeed(requirement);
            }
        }

        return Task.CompletedTask;
    }

    // A proxy on this machine that says for whom it asks is not this machine asking.
    private static bool IsForwarded(IHeaderDictionary headers) =>
        headers.ContainsKey("Forwarded") || headers.ContainsKey("X-Forwarded-For");

    /// <summary>Marks what may be opened.</summary>
    internal sealed class Open;
}
