using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Admin;

/// <summary>A session: one login, on which tickets hang.</summary>
/// <param name="Id">The session's id.</param>
/// <param name="ClientId">The client that logged in.</param>
/// <param name="DeviceId">The device that logged in.</param>
/// <param name="Address">The IP address that the login came from.</param>
/// <param name="CreatedAt">When the password was proven.</param>
/// <param name="LastUsedAt">When a ticket of it was last used, to the minute.</param>
/// <param name="ExpiresAt">When it ends unless it is renewed.</param>
/// <param name="RenewableUntil">Until when it can be renewed.</param>
/// <param name="RevokedAt">When it was revoked; null while it was not.</param>
/// <param name="RevokedReason">Why it was revoked.</param>
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
    string? RevokedReason);

internal static class SessionEndpoints
{
    /// <summary>Lists the sessions</summary>
    /// <remarks>Oldest first, a page at a time; ended sessions are listed too.</remarks>
    public static async Task<Results<Ok<Page<SessionView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page,
        AuthDbContext database,
        CancellationToken cancellationToken)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        // EF Core cannot compare identifiers; SQLite and PostgreSQL both have row values.
        var (createdAt, id) = after ?? PagePosition.Start;
        var rows = await database.Sessions
            .FromSql($"""
                SELECT * FROM "Sessions" WHERE ("CreatedAt", "Id") > ({createdAt}, {id.ToByteArray(true)})
                ORDER BY "CreatedAt", "Id" LIMIT {limit + 1}
                """)
            .AsNoTracking()
            .ToListAsync(cancellationToken);
        return TypedResults.Ok(rows.ToPage(
            limit,
            static row => new SessionView(
                row.Id,
                row.ClientId,
                row.DeviceId,
                row.Address,
                row.CreatedAt,
                row.LastUsedAt,
                row.ExpiresAt,
                row.RenewableUntil,
                row.RevokedAt,
                row.RevokedReason),
            static row => PageCursor.Encode(row.CreatedAt.ToUnixTimeMilliseconds(), row.Id)));
    }
}
