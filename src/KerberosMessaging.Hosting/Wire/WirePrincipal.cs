using KerberosMessaging.Protocol;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>Who is at the other end of a connection, as proven by a login or a ticket.</summary>
/// <param name="Session">The session row at the auth server.</param>
/// <param name="Client">The client.</param>
/// <param name="ClientName">Its name as registered.</param>
/// <param name="Device">The device.</param>
/// <param name="EndsAt">When the ticket ends, and with it the connection.</param>
public sealed record WirePrincipal(
    SessionId Session,
    ClientId Client,
    string ClientName,
    DeviceId Device,
    DateTimeOffset EndsAt)
{
    /// <summary>Whether another ticket may take this one's place on the same connection.</summary>
    /// <param name="other">The other ticket's principal.</param>
    public bool MayBeReplacedBy(WirePrincipal other) =>
        Session == other.Session && Client == other.Client && Device == other.Device;
}
