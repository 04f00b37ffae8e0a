namespace KerberosMessaging.Hosting.Telemetry;

/// <summary>What the admin port does, in numbers.</summary>
internal sealed class AdminMetrics(ServerTelemetry telemetry)
{
    private readonly ClosedCounter _failures = new(
        telemetry.Meter, "kmsg.admin.authentication.failures", "{failure}", "Requests to the admin API with a wrong token.");

    public void AuthenticationFailed() => _failures.Add();
}
