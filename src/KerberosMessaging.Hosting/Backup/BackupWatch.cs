using KerberosMessaging.Hosting.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>Notices that scheduled backups are not made: backups that silently stopped are found out when one is needed.</summary>
internal sealed class BackupWatch : IHealthCheck
{
    // Half of one interval later than due: a disk that was busy, or a server that was away for a while, is no reason to wake anybody.
    private const double Patience = 1.5;

    private readonly IBackupStatus _status;
    private readonly TimeProvider _time;
    private readonly DateTimeOffset _startedAt;

    public BackupWatch(IBackupStatus status, TimeProvider time, ServerTelemetry telemetry)
    {
        (_status, _time, _startedAt) = (status, time, time.GetUtcNow());
        telemetry.Meter.CreateObservableGauge(
            "kmsg.backup.overdue", () => IsOverdue ? 1 : 0, "{backup}", "1 while a scheduled backup is overdue or the last one failed; else 0.");
    }

    private bool IsOverdue => _status.Interval is { } interval
        && (_status.LastFailure is not null || _time.GetUtcNow() - (_status.LastSuccess ?? _startedAt) > interval * Patience);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        _status.Interval is null ? HealthCheckResult.Healthy("No backups are scheduled.")
        : IsOverdue ? HealthCheckResult.Degraded("A backup is overdue, or the last one failed.")
        : HealthCheckResult.Healthy("Backups are made as scheduled."));
}
