namespace KerberosMessaging.Tickets;

/// <summary>What the clock says of a ticket.</summary>
public enum TicketValidity
{
    /// <summary>It may be used.</summary>
    Valid,

    /// <summary>Its time has not come.</summary>
    NotYetValid,

    /// <summary>Its time is over.</summary>
    Expired,
}
