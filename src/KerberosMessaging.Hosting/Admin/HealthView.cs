namespace KerberosMessaging.Hosting.Admin;

/// <summary>How a server is, as it sees itself.</summary>
/// <param name="Status" example="healthy">The worst of all checks: <c>healthy</c>, or <c>degraded</c>, when it works and somebody should look.</param>
/// <param name="Checks">What was looked at.</param>
internal sealed record HealthView(string Status, IReadOnlyList<HealthCheckView> Checks);

/// <summary>One check.</summary>
/// <param name="Name" example="disk">What was looked at.</param>
/// <param name="Status" example="healthy">How it is: <c>healthy</c>, <c>degraded</c> or <c>unhealthy</c>.</param>
/// <param name="Detail" example="The disk has room.">The same in a sentence.</param>
internal sealed record HealthCheckView(string Name, string Status, string Detail);
