using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Health;

/// <summary>Whether the database takes a write, through the server's own writer: one that hangs is found too.</summary>
internal sealed class DatabaseCheck(IDatabaseProbe probe, IOptions<HealthOptions> options) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await probe.WriteAsync(cancellationToken).WaitAsync(TimeSpan.FromSeconds(options.Value.WriteDeadlineSeconds), cancellationToken);
            return HealthCheckResult.Healthy("The database takes writes.");
        }
        catch (TimeoutException)
        {
            return HealthCheckResult.Unhealthy("The database did not take a write in time.");
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Why is in the log of whoever writes; this answer is for anybody.
            return HealthCheckResult.Unhealthy("The database takes no writes.");
        }
    }
}
