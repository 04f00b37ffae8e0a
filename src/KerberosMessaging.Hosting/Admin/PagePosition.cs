namespace KerberosMessaging.Hosting.Admin;

/// <summary>The last row of the page before, in a list sorted by time and then identifier.</summary>
/// <param name="CreatedAtMs">The row's time in milliseconds since 1970.</param>
/// <param name="Id">The row's identifier.</param>
public readonly record struct PagePosition(long CreatedAtMs, Guid Id)
{
    /// <summary>Before every row.</summary>
    public static PagePosition Start => new(-1, Guid.Empty);
}
