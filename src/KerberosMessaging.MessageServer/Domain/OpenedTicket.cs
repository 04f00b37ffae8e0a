using KerberosMessaging.Tickets;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>A ticket that was verified, and the nonce that its holder wants repeated.</summary>
internal sealed record OpenedTicket(TicketBody Body, byte[] Nonce) : IDisposable
{
    public void Dispose() => Body.Dispose();
}
