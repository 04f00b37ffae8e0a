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

    /// <summary>The service key, sealed with Data Protection.</summary>
    public byte[] SealedServiceKey { get; set; } = [];

    public uint KeyVersion { get; set; }

    public byte[] RealmSigningKey { get; set; } = [];

    /// <summary>Milliseconds since 1970.</summary>
    public long EnrolledAt { get; set; }
}
