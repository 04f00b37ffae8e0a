using System.ComponentModel.DataAnnotations;
using KerberosMessaging.AuthServer.Persistence;

namespace KerberosMessaging.AuthServer.Admin;

/// <summary>A session: one login, on which tickets hang.</summary>
/// <param name="Id" example="4f1c2a9b-e07d-4c31-a5d8-6e0f9b7c2d14">The session's id.</param>
/// <param name="ClientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client that logged in.</param>
/// <param name="DeviceId" example="c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">The device that logged in.</param>
/// <param name="Address" example="192.0.2.7">The IP address that the login came from.</param>
/// <param name="CreatedAt" example="2026-05-04T08:15:30Z">When the password was proven.</param>
/// <param name="LastUsedAt" example="2026-05-04T09:40:00Z">When a ticket of it was last used, to the minute.</param>
/// <param name="ExpiresAt" example="2026-05-04T18:15:30Z">When it ends unless it is renewed.</param>
/// <param name="RenewableUntil" example="2026-05-11T08:15:30Z">Until when it can be renewed.</param>
/// <param name="RevokedAt" example="2026-05-04T12:00:00Z">When it was revoked; null while it was not.</param>
/// <param name="RevokedReason" example="logout">Why it was revoked.</param>
internal sealed record SessionView(
    Guid Id,
    Guid ClientId,
    Guid DeviceId,
    string Address,
    DateTimeOffset CreatedAt,
    DateTimeOffset LastUsedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset RenewableUntil,
    DateTimeOffset? RevokedAt,
    string? RevokedReason)
{
    public static SessionView Of(SessionRow row) => new(
        row.Id,
        row.ClientId,
        row.DeviceId,
        row.Address,
        row.CreatedAt,
        row.LastUsedAt,
        row.ExpiresAt,
        row.RenewableUntil,
        row.RevokedAt,
        row.RevokedReason);
}

/// <summary>How many sessions were ended.</summary>
/// <param name="Revoked" example="3">Those that lived; the others of the list had ended before, or are not known.</param>
internal sealed record RevokedSessionsView(int Revoked);

// Public, since the framework validates public types alone.
/// <summary>Which sessions to end: `sessions`; or `clients`, `createdBefore` or both; or `all`.</summary>
/// <param name="Sessions" example="[]">These sessions, at most 1,000: they are ended at once.</param>
/// <param name="Clients" example="[]">The sessions of these clients, at most 1,000.</param>
/// <param name="CreatedBefore" example="2020-01-01T00:00:00Z">Sessions that began before this time.</param>
/// <param name="All" example="false">Everybody's sessions, those that begin after this request excepted.</param>
public sealed record SessionsToRevoke(
    [MaxLength(SessionsToRevoke.Most)] IReadOnlyList<Guid>? Sessions,
    [MaxLength(SessionsToRevoke.Most)] IReadOnlyList<Guid>? Clients,
    DateTimeOffset? CreatedBefore,
    bool? All)
{
    /// <summary>How many ids a request has at most.</summary>
    public const int Most = 1000;
}
