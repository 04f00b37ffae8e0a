using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Decides whether a presented service ticket opens this server.</summary>
internal sealed class TicketGate(TicketKeyRing keys, RevokedTickets revoked, TimeProvider time)
{
    /// <summary>Verifies a ticket and its authenticator; null for every cause of refusal, which nobody is told.</summary>
    /// <param name="ticket">As received.</param>
    /// <param name="authenticator">As received.</param>
    /// <param name="channelBinding">The exporter value of the channel that both came on.</param>
    public OpenedTicket? TryOpen(ReadOnlySpan<byte> ticket, ReadOnlySpan<byte> authenticator, ReadOnlySpan<byte> channelBinding)
    {
        // Taken once: keys may be changed while this runs, and both must be of one moment.
        if (keys.Current is not { } own)
        {
            return null;
        }

        var body = ServiceTicket.TryOpen(
            ticket, own.Server, own.Keys.ServiceKeys.GetValueOrDefault, own.Keys.TicketSigningKeys.GetValueOrDefault);
        if (body is null)
        {
            return null;
        }

        // This server's clock is the only one that counts.
        if (body.Times.Judge(time.GetUtcNow()) == TicketValidity.Valid
            && !revoked.Covers(TicketLogin.Of(body))
            && Authenticator.TryOpen(authenticator, body.SessionKey, MessageCode.PresentTicket, channelBinding) is { } opened)
        {
            return new OpenedTicket(body, opened.Nonce);
        }

        body.Dispose();
        return null;
    }
}
