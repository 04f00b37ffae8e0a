using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Wire;

namespace KerberosMessaging.AuthServer.Requests;

internal static class ConnectionOrigin
{
    /// <summary>Who is at the other end, as the audit log names it; the channel's id joins what it does.</summary>
    public static Origin ToOrigin(this WireConnection connection)
    {
        var origin = Origin.Anonymous(connection.RemoteAddress, connection.Session.ToString());
        return connection switch
        {
            { Principal: { } principal } => origin.As(principal.Client),
            { Server: { } server } => origin.As(server),
            _ => origin,
        };
    }
}
