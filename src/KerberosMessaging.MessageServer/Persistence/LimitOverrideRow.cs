namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>A client's own rate limit, which an admin set for a while.</summary>
internal sealed class LimitOverrideRow
{
    public Guid ClientId { get; set; }

    public int RequestsPerSecond { get; set; }

    public int Burst { get; set; }

    /// <summary>Milliseconds since 1970.</summary>
    public long ExpiresAt { get; set; }
}
