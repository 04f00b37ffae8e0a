using KerberosMessaging.Cryptography;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>A client: an account of the realm.</summary>
internal sealed class ClientRow
{
    /// <summary>The indexes that lists read in order.</summary>
    public const string ByCreation = "IX_Clients_ByCreation";

    /// <inheritdoc cref="ByCreation"/>
    public const string ByName = "IX_Clients_ByName";

    /// <inheritdoc cref="ByCreation"/>
    public const string ByLastSeen = "IX_Clients_ByLastSeen";

    public Guid Id { get; init; }

    /// <summary>The name as registered; empty once deleted.</summary>
    public required string Name { get; set; }

    /// <summary>The name as compared; of a deleted client a hash of it, so that nobody takes the name over.</summary>
    public required string NameKey { get; set; }

    /// <summary>What the name looks like (UTS 39, section 4), of a deleted client a hash of it; null where it was not computed yet.</summary>
    public string? NameSkeleton { get; set; }

    public required byte[] OpaqueRecord { get; set; }

    /// <summary>The version of the realm's OPAQUE keys that the record was made with.</summary>
    public uint OpaqueKeyVersion { get; set; }

    public StretchingAlgorithm StretchingAlgorithm { get; set; }

    public uint StretchingIterations { get; set; }

    public uint StretchingMemoryKiB { get; set; }

    /// <summary>Earlier export keys, sealed by the client under the one of this record; opaque here.</summary>
    public byte[] PreviousKeys { get; set; } = [];

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset PasswordChangedAt { get; set; }

    /// <summary>When it registered, or later logged in or renewed, to the minute.</summary>
    public DateTimeOffset LastSeenAt { get; set; }

    public DateTimeOffset? DisabledAt { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }

    /// <summary>The message server that holds its mailboxes; null until one is enrolled.</summary>
    public Guid? HomeServerId { get; set; }
}

/// <summary>A device of a client.</summary>
internal sealed class DeviceRow
{
    /// <summary>The certificate's serial: assigned by the database, never reused.</summary>
    public long Serial { get; init; }

    public Guid ClientId { get; init; }

    public Guid DeviceId { get; init; }

    public required string Name { get; set; }

    public required byte[] Identity { get; init; }

    public required byte[] Certificate { get; set; }

    /// <summary>The statement of its client's account key; empty while there is none, and once it is removed.</summary>
    public byte[] Link { get; set; } = [];

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it last logged in or renewed, to the minute.</summary>
    public DateTimeOffset LastSeenAt { get; set; }

    public DateTimeOffset? RevokedAt { get; set; }

    public string? RevokedReason { get; set; }
}

/// <summary>A session: one login, on which tickets hang.</summary>
internal sealed class SessionRow
{
    /// <summary>The indexes that lists read in order.</summary>
    public const string ByCreation = "IX_Sessions_ByCreation";

    /// <inheritdoc cref="ByCreation"/>
    public const string ByExpiry = "IX_Sessions_ByExpiry";

    public Guid Id { get; init; }

    public Guid ClientId { get; init; }

    public Guid DeviceId { get; init; }

    public required string Address { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset LastUsedAt { get; set; }

    public DateTimeOffset ExpiresAt { get; set; }

    public DateTimeOffset RenewableUntil { get; init; }

    public DateTimeOffset? RevokedAt { get; set; }

    public string? RevokedReason { get; set; }
}
