using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KerberosMessaging.MessageServer.Realm;

/// <summary>Whether the auth server is reached. Without it the server goes on serving, so it is degraded and no more.</summary>
internal sealed class AuthServerCheck(RealmMetrics realm) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(realm.IsUp
            ? HealthCheckResult.Healthy("The auth server is reached.")
            : HealthCheckResult.Degraded("The auth server is not reached: revocations come late."));
}
