namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>What a key of the realm is for. The numbers are stored and never reused.</summary>
internal enum RealmKeyPurpose
{
    /// <summary>Signs handshakes and device certificates; clients pin it.</summary>
    Realm = 1,

    /// <summary>Seals ticket-granting tickets.</summary>
    Ticket = 2,

    /// <summary>All OPRF keys come from it; belongs to the OPAQUE private key of the same version.</summary>
    OprfSeed = 3,

    /// <summary>The server's private key in OPAQUE.</summary>
    OpaquePrivateKey = 4,

    /// <summary>Signs service tickets.</summary>
    TicketSigning = 5,

    /// <summary>Chains the audit log.</summary>
    Audit = 6,
}

/// <summary>One version of one key of the realm, sealed with Data Protection.</summary>
internal sealed class RealmKeyRow
{
    public RealmKeyPurpose Purpose { get; init; }

    public uint Version { get; init; }

    public required byte[] Sealed { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when on nothing under it can be valid; null while it is the newest, or while that is not known.</summary>
    public DateTimeOffset? NeededUntil { get; set; }
}

/// <summary>One version of the long-term key of a message server, under which service tickets for it are sealed.</summary>
internal sealed class ServiceKeyRow
{
    public Guid ServerId { get; init; }

    public uint Version { get; init; }

    public required byte[] Sealed { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the message server confirmed that it has stored it; only then tickets are sealed under it.</summary>
    public DateTimeOffset? ConfirmedAt { get; set; }

    /// <summary>From when on no ticket under it can be valid; null while it is in use.</summary>
    public DateTimeOffset? NeededUntil { get; set; }
}
