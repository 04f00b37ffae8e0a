namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>This server's membership of its realm: one row, or none before enrolment.</summary>
internal sealed class ServerIdentityRow
{
    /// <summary>The one row's id.</summary>
    public const int OnlyId = 1;

    public int Id { get; set; } = OnlyId;

    public Guid ServerId { get; set; }

    /// <summary>Seed of the key that signs handshakes, sealed with Data Protection.</summary>
    public byte[] SealedSigningSeed { get; set; } = [];

    /// <summary>The realm's public key.</summary>
    public byte[] RealmKey { get; set; } = [];

    /// <summary>SHA-256 of the token that it enrolled with; null where that was not kept.</summary>
    public byte[]? TokenHash { get; set; }

    /// <summary>Milliseconds since 1970.</summary>
    public long EnrolledAt { get; set; }
}
