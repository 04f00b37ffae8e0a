using KerberosMessaging.Protocol;

namespace KerberosMessaging.Hosting.Wire.Limits;

/// <summary>A client's own request limit, in place of the configured one.</summary>
/// <param name="Client">The client.</param>
/// <param name="RequestsPerSecond">Requests a second, over all of its connections.</param>
/// <param name="Burst">Requests at once.</param>
/// <param name="ExpiresAt">From then on the configured limit holds again.</param>
public sealed record ClientLimit(ClientId Client, int RequestsPerSecond, int Burst, DateTimeOffset ExpiresAt);
