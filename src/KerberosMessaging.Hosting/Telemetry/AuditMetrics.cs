using System.Diagnostics;
using System.Diagnostics.Metrics;
using KerberosMessaging.Hosting.Audit;

namespace KerberosMessaging.Hosting.Telemetry;

/// <summary>Counts the rows of the audit log.</summary>
/// <param name="telemetry">The server's.</param>
public sealed class AuditMetrics(ServerTelemetry telemetry)
{
    private readonly Counter<long> _events = telemetry.Meter.CreateCounter<long>(
        "kmsg.audit.events", "{event}", "Rows of the audit log, by kind and result.");

    /// <summary>A row is on disk.</summary>
    /// <param name="happened">What it tells.</param>
    public void Added(in AuditEvent happened)
    {
        if (_events.Enabled)
        {
            _events.Add(1, new TagList { { "kind", $"{happened.Kind}" }, { "result", $"{happened.Result}" } });
        }
    }
}
