namespace KerberosMessaging.Hosting.Admin.Access;

/// <summary>An admin token as it is stored: what it may do, and a hash that opens nothing.</summary>
public sealed class AdminTokenRow
{
    /// <summary>What to call it by; it opens nothing.</summary>
    public Guid Id { get; init; }

    /// <summary>Its name for people and for the audit log; no two that are good at once share one.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the token.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>The role whose scopes it has; null where it has scopes of its own.</summary>
    public AdminRole? Role { get; init; }

    /// <summary>The names of its own scopes, parted by spaces; empty where it has a role.</summary>
    public required string Scopes { get; init; }

    /// <summary>When it was made, or first seen.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when on it opens nothing; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it last opened something, to the minute.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }

    /// <summary>When it was revoked; null while it was not.</summary>
    public DateTimeOffset? RevokedAt { get; set; }

    /// <summary>Who revoked it; null while nobody did.</summary>
    public string? RevokedBy { get; set; }

    /// <summary>The id alone.</summary>
    public override string ToString() => $"admin token {Id}";
}
