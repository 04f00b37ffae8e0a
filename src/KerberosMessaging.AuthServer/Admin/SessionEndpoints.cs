using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

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

internal static class SessionEndpoints
{
    public static void Map(RouteGroupBuilder admin)
    {
        var sessions = admin.MapGroup("/sessions").WithTags("Sessions");
        sessions.MapGet("", ListAsync).RequireScope(AdminScope.ClientsRead);
        sessions.MapPost("/{id:guid}/revoke", RevokeAsync).RequireScope(AdminScope.SessionsRevoke);
    }

    /// <summary>Sessions that are neither revoked nor expired.</summary>
    public static IQueryable<SessionRow> WhereLiving(this IQueryable<SessionRow> sessions, DateTimeOffset now) =>
        sessions.Where(row => row.RevokedAt == null && row.ExpiresAt > now);

    /// <summary>Lists the sessions</summary>
    /// <remarks>Oldest first, a page at a time; ended sessions are listed too, as long as they are kept.</remarks>
    /// <param name="page">Which page.</param>
    /// <param name="client">Only sessions of this client.</param>
    /// <param name="database">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <param name="living">Only sessions that are neither revoked nor expired.</param>
    private static async Task<Results<Ok<Page<SessionView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page,
        Guid? client,
        AuthDbContext database,
        TimeProvider time,
        CancellationToken cancellationToken,
        bool living = false)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        // EF Core cannot compare identifiers; SQLite and PostgreSQL both have row values.
        var (createdAt, id) = after ?? PagePosition.Start;
        var sessions = database.Sessions
            .FromSql($"""SELECT * FROM "Sessions" WHERE ("CreatedAt", "Id") > ({createdAt}, {id.ToByteArray(true)})""")
            .AsNoTracking();
        if (client is not null)
        {
            sessions = sessions.Where(row => row.ClientId == client);
        }

        if (living)
        {
            sessions = sessions.WhereLiving(time.GetUtcNow());
        }

        var rows = await sessions
            .OrderBy(static row => row.CreatedAt).ThenBy(static row => row.Id)
            .Take(limit + 1)
            .ToListAsync(cancellationToken);
        return TypedResults.Ok(rows.ToPage(
            limit, SessionView.Of, static row => PageCursor.Encode(row.CreatedAt.ToUnixTimeMilliseconds(), row.Id)));
    }

    /// <summary>Ends a session</summary>
    /// <remarks>Connections on it are cut, here and at message servers. Its client may log in again at once.</remarks>
    /// <param name="id" example="4f1c2a9b-e07d-4c31-a5d8-6e0f9b7c2d14">The session's id.</param>
    /// <param name="clients">What admins do to clients.</param>
    /// <param name="database">The database.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound>> RevokeAsync(
        Guid id, ClientAdministration clients, AuthDbContext database, HttpContext context, CancellationToken cancellationToken) =>
        AdminResults.Changed(
            await clients.RevokeSessionAsync(id, context.ToOrigin(), cancellationToken)

            // Revoked before.
            || await database.Sessions.AnyAsync(row => row.Id == id, cancellationToken));
}
