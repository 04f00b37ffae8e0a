using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Health;

/// <summary>
/// The latest look at all checks. Anybody may ask, and a check may write to the disk, so one look serves everybody for a while.
/// </summary>
internal sealed class HealthReports(HealthCheckService checks, IOptions<HealthOptions> options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private Task<HealthReport>? _report;
    private long _lookedAt;

    public Task<HealthReport> LookAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // A look that is under way is waited for, however long ago it began: it must not be joined by more of its kind.
            var isFresh = _report is { IsCompleted: false }
                || (_report is { IsCompletedSuccessfully: true } && time.GetElapsedTime(_lookedAt) < TimeSpan.FromSeconds(options.Value.FreshSeconds));
            if (!isFresh)
            {
                // Not by the token of whoever asks first: others wait for it too.
                _lookedAt = time.GetTimestamp();
                _report = checks.CheckHealthAsync(CancellationToken.None);
            }

            return _report!.WaitAsync(cancellationToken);
        }
    }
}
