using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>The login that a ticket hangs on: what a revocation names.</summary>
/// <param name="Session">The session at the auth server.</param>
/// <param name="Device">The device that logged in.</param>
/// <param name="AuthenticatedAt">When the password was proven.</param>
internal readonly record struct TicketLogin(SessionId Session, DeviceAddress Device, DateTimeOffset AuthenticatedAt)
{
    public static TicketLogin Of(TicketBody body) =>
        new(body.Session, new DeviceAddress(body.Client, body.Device), body.Times.AuthenticatedAt);
}
