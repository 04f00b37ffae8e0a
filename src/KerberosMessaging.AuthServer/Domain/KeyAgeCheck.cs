using KerberosMessaging.AuthServer.Persistence;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>
/// Whether keys are rotated as they should be. Housekeeping does so every minute, so a key that is overdue says that it
/// fails, or that too many old versions are still needed.
/// </summary>
internal sealed class KeyAgeCheck(AuthDbContext database, IOptions<KeyOptions> options, TimeProvider time) : IHealthCheck
{
    // A message server that is away for a while is given its next key when it is back.
    private static readonly TimeSpan Patience = TimeSpan.FromDays(1);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var ages = await KeyAge.ReadAsync(database, time.GetUtcNow(), cancellationToken);
        return ages.Any(IsOverdue)
            ? HealthCheckResult.Degraded("A key should have been rotated by now.")
            : HealthCheckResult.Healthy("No key is overdue.");
    }

    private bool IsOverdue(KeyAge key) => key.Name switch
    {
        KeyAge.Ticket => key.Age > options.Value.TicketKeyLife + Patience,
        KeyAge.TicketSigning => key.Age > options.Value.TicketSigningKeyLife + Patience,
        KeyAge.Service => key.Age > options.Value.ServiceKeyLife + Patience,

        // OPAQUE keys do not age.
        _ => false,
    };
}
