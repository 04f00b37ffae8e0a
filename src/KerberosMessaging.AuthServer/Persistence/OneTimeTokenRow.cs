namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>What a one-time token is for. The numbers are stored and never reused.</summary>
internal enum TokenPurpose
{
    /// <summary>Enrols a message server, or an enrolled one anew.</summary>
    ServerEnrolment = 1,

    /// <summary>Registers a client.</summary>
    Invite = 2,

    /// <summary>Sets a new password for a client that lost its own.</summary>
    PasswordReset = 3,
}

/// <summary>A one-time token, by its SHA-256: the token itself is shown once and kept nowhere.</summary>
internal sealed class OneTimeTokenRow
{
    /// <summary>What admins call it; it opens nothing.</summary>
    public Guid Id { get; init; }

    public TokenPurpose Purpose { get; init; }

    public required byte[] Hash { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The name that an invite is for, as compared; null for any.</summary>
    public string? NameKey { get; init; }

    /// <summary>The client that a reset is for, or that an invite became.</summary>
    public Guid? ClientId { get; set; }

    /// <summary>The message server that is to enrol anew, or that enrolled.</summary>
    public Guid? ServerId { get; set; }

    public DateTimeOffset? UsedAt { get; set; }

    /// <summary>The key that a server enrolled with: the same one may ask again when the reply was lost.</summary>
    public byte[]? UsedBy { get; set; }

    public DateTimeOffset? RevokedAt { get; set; }
}
