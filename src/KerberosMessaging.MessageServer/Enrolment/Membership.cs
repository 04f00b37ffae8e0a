using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;

namespace KerberosMessaging.MessageServer.Enrolment;

/// <summary>Puts this server's keys where they are used, from which moment it accepts connections.</summary>
internal sealed class Membership(ServerIdentity identity, TicketKeyRing tickets)
{
    /// <summary>Whether this server has its keys.</summary>
    public bool IsKnown => identity.IsSet;

    /// <summary>Takes the keys over; they are owned from now on.</summary>
    public void Assume(EnrolledServer enrolled)
    {
        // Tickets first: whoever completes a handshake must be able to present one.
        tickets.Set(enrolled);
        identity.Set(enrolled.Server, enrolled.SigningKey);
    }
}
