using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Requests;

/// <summary>Cuts this server's own connections whose session was revoked.</summary>
internal sealed class RevokedConnections(ConnectionRegistry connections)
{
    public void Cut(RevocationRow revoked)
    {
        foreach (var connection in connections.All)
        {
            if (connection.Principal is { } principal
                && principal.Client.Value == revoked.ClientId
                && (revoked.DeviceId == default || principal.Device.Value == revoked.DeviceId)
                && (revoked.SessionId == default || principal.Session.Value == revoked.SessionId))
            {
                connection.Close(NoticeKind.SessionEnded);
            }
        }
    }
}
