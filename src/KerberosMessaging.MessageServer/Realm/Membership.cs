using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;

namespace KerberosMessaging.MessageServer.Realm;

/// <summary>Puts this server's keys where they are used, from which moment it accepts connections.</summary>
internal sealed class Membership(ServerIdentity identity, TicketKeyRing tickets)
{
    private EnrolledServer? _current;

    /// <summary>The membership; null before enrolment.</summary>
    public EnrolledServer? Current => Volatile.Read(ref _current);

    /// <summary>Takes a membership over; its keys are owned from now on. Those before are left to the collector.</summary>
    public void Assume(EnrolledServer enrolled)
    {
        // Tickets first: whoever completes a handshake must be able to present one.
        tickets.Set(enrolled.Server, enrolled.Keys);
        identity.Set(enrolled.Server, enrolled.SigningKey);
        Volatile.Write(ref _current, enrolled);
    }

    /// <summary>Takes over other keys for tickets.</summary>
    public void Assume(TicketKeySet keys)
    {
        var enrolled = Current! with { Keys = keys };
        tickets.Set(enrolled.Server, keys);
        Volatile.Write(ref _current, enrolled);
    }
}
