namespace KerberosMessaging.MessageServer.Persistence.Audit;

/// <summary>The key that chains the audit log: one row.</summary>
internal sealed class AuditKeyRow
{
    /// <summary>The one row's id.</summary>
    public const int OnlyId = 1;

    public int Id { get; set; } = OnlyId;

    /// <summary>The key, sealed with Data Protection.</summary>
    public byte[] SealedKey { get; set; } = [];

    /// <summary>Milliseconds since 1970.</summary>
    public long CreatedAt { get; set; }
}
