using KerberosMessaging.Hosting.Startup;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Health;

/// <summary>How much room there is on the disk of the data folder.</summary>
internal sealed class DiskCheck(IOptions<HealthOptions> options, IOptions<DataOptions> data) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Judge(new DriveInfo(Path.GetFullPath(data.Value.Directory)).AvailableFreeSpace, options.Value));

    internal static HealthCheckResult Judge(long free, HealthOptions options) =>
        free < options.CriticalDiskBytes ? HealthCheckResult.Unhealthy("The disk is almost full.")
        : free < options.LowDiskBytes ? HealthCheckResult.Degraded("The disk gets full.")
        : HealthCheckResult.Healthy("The disk has room.");
}
