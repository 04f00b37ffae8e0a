using KerberosMessaging.Cryptography;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>What a key of the realm is for. The numbers are stored and never reused.</summary>
internal enum RealmKeyPurpose
{
    Signing = 1,
    Ticket = 2,
    OprfSeed = 3,
    OpaquePrivateKey = 4,
}

/// <summary>One version of one key of the realm, sealed with Data Protection.</summary>
internal sealed class RealmKeyRow
{
    public RealmKeyPurpose Purpose { get; init; }

    public uint Version { get; init; }

    public required byte[] Sealed { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A client: an account of the realm.</summary>
internal sealed class ClientRow
{
    public Guid Id { get; init; }

    /// <summary>The name as registered.</summary>
    public required string Name { get; init; }

    /// <summary>The name as compared.</summary>
    public required string NameKey { get; init; }

    public required byte[] OpaqueRecord { get; set; }

    public StretchingAlgorithm StretchingAlgorithm { get; set; }

    public uint StretchingIterations { get; set; }

    public uint StretchingMemoryKiB { get; set; }

    public DateTimeOffset CreatedAt { get; init; }

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

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? RevokedAt { get; set; }
}

/// <summary>A session: one login, on which tickets hang.</summary>
internal sealed class SessionRow
{
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

/// <summary>An enrolled message server.</summary>
internal sealed class MessageServerRow
{
    public Guid Id { get; init; }

    public required string Name { get; set; }

    public required string Host { get; set; }

    public ushort Port { get; set; }

    public required byte[] SigningKey { get; set; }

    public uint KeyVersion { get; set; }

    public required byte[] SealedServiceKey { get; set; }

    public DateTimeOffset EnrolledAt { get; init; }

    public DateTimeOffset? DisabledAt { get; set; }
}

/// <summary>A one-time enrolment token, by its SHA-256: the token itself is shown once and kept nowhere.</summary>
internal sealed class EnrolmentTokenRow
{
    public required byte[] Hash { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? UsedAt { get; set; }
}
