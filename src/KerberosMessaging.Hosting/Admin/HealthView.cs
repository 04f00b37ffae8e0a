namespace KerberosMessaging.Hosting.Admin;

/// <summary>How a server is, as it sees itself.</summary>
/// <param name="Status" example="healthy">The worst of all checks: <c>healthy</c>; <c>degraded</c>, when it works and somebody should look; <c>unhealthy</c>.</param>
/// <param name="Checks">What was looked at.</param>
internal sealed record HealthView(string Status, IReadOnlyList<HealthCheckView> Checks);

/// <summary>One check.</summary>
/// <param name="Name" example="disk">What was looked at.</param>
/// <param name="Status" example="healthy">How it is.</param>
/// <param name="Detail" example="The disk has room.">The same in a sentence.</param>
internal sealed record HealthCheckView(string Name, string Status, string Detail);
