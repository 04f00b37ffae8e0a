using System.ComponentModel.DataAnnotations;

namespace KerberosMessaging.Hosting.Admin.Access;

/// <summary>An admin token as it is remembered: by what it may do, not by what opens.</summary>
/// <param name="Id" example="3c9f5d18-6a02-4b7e-8d41-e5a0b7c6f923">Its id; it opens nothing.</param>
/// <param name="Name" example="dashboard">Its name, which the audit log shows.</param>
/// <param name="Role" example="viewer">The role that it has; null where it has scopes of its own.</param>
/// <param name="Scopes" example="[&quot;clients:read&quot;, &quot;queues:read&quot;, &quot;audit:read&quot;, &quot;metrics:read&quot;]">What it may do.</param>
/// <param name="CreatedAt" example="2026-05-04T08:00:00Z">When it was made.</param>
/// <param name="ExpiresAt" example="2026-08-02T08:00:00Z">From when on it opens nothing; null for never.</param>
/// <param name="LastUsedAt" example="2026-05-30T07:55:00Z">When it was last used, to the minute; null for never.</param>
/// <param name="RevokedAt" example="2026-06-01T12:00:00Z">When it was revoked; null while it was not.</param>
/// <param name="RevokedBy" example="admin first">Who revoked it; null while nobody did.</param>
public sealed record AdminTokenView(
    Guid Id,
    string Name,
    AdminRole? Role,
    IReadOnlyList<AdminScope> Scopes,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? LastUsedAt,
    DateTimeOffset? RevokedAt,
    string? RevokedBy);

/// <summary>An admin token that was just made.</summary>
/// <param name="Id" example="3c9f5d18-6a02-4b7e-8d41-e5a0b7c6f923">What to call it by afterwards; it opens nothing.</param>
/// <param name="Name" example="dashboard">Its name.</param>
/// <param name="Token" example="kmsg_admin_EXAMPLE_EXAMPLE_EXAMPLE_EXAMPLE_EXAMPLE_EXA">The token, shown only in this reply.</param>
/// <param name="ExpiresAt" example="2026-08-02T08:00:00Z">From when on it opens nothing; null for never.</param>
public sealed record NewAdminTokenView(Guid Id, string Name, string Token, DateTimeOffset? ExpiresAt)
{
    /// <summary>The id alone.</summary>
    public override string ToString() => $"admin token {Id}";
}

/// <summary>An admin token to make: with a role or with scopes.</summary>
/// <param name="Name" example="dashboard">Its name, which no other good token has: a letter or digit, then up to 63 more of them, dots, hyphens or underscores.</param>
/// <param name="Role" example="viewer">The role that it has; left out for scopes of its own.</param>
/// <param name="Scopes" example="null">What it may do; left out for a role.</param>
/// <param name="Hours" example="2160">For how many hours it is good, at most ten years; left out for ever.</param>
public sealed record NewAdminToken(
    string Name, AdminRole? Role = null, IReadOnlyList<AdminScope>? Scopes = null, [property: Range(1, NewAdminToken.MaxHours)] int? Hours = null)
{
    /// <summary>Ten years.</summary>
    internal const int MaxHours = 10 * 366 * 24;
}
