using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>The times of a ticket, each to the millisecond (RFC 4120, section 5.3).</summary>
/// <param name="AuthenticatedAt">When the password was proven.</param>
/// <param name="StartsAt">Before this the ticket is not yet valid.</param>
/// <param name="EndsAt">From this on the ticket is expired.</param>
/// <param name="RenewableUntil">Until when renewal may reach; equal to <see cref="EndsAt"/> for a service ticket.</param>
public readonly record struct TicketTimes(
    DateTimeOffset AuthenticatedAt,
    DateTimeOffset StartsAt,
    DateTimeOffset EndsAt,
    DateTimeOffset RenewableUntil)
{
    /// <summary>How far the clocks of two servers of a realm may differ before a fresh ticket looks not yet valid.</summary>
    public static readonly TimeSpan ServerClockSkew = TimeSpan.FromMinutes(1);

    /// <summary>Judges the times by the clock of the server that is asked, which is the only one that counts.</summary>
    /// <param name="now">That server's time.</param>
    public TicketValidity Judge(DateTimeOffset now)
    {
        if (now < StartsAt - ServerClockSkew)
        {
            return TicketValidity.NotYetValid;
        }

        return now < EndsAt ? TicketValidity.Valid : TicketValidity.Expired;
    }

    internal static TicketTimes Read(ref WireReader reader) =>
        new(reader.ReadTime(), reader.ReadTime(), reader.ReadTime(), reader.ReadTime());

    internal void Write(WireWriter writer)
    {
        writer.WriteTime(AuthenticatedAt);
        writer.WriteTime(StartsAt);
        writer.WriteTime(EndsAt);
        writer.WriteTime(RenewableUntil);
    }
}
