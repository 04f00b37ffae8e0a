using KerberosMessaging.AuthServer.Admin.Lists;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Admin.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Admin;

internal static class SessionEndpoints
{
    private static readonly SortOrders<SessionRow> Orders = new(
        "Sessions",
        static row => row.Id,
        new("createdAt", "CreatedAt", SessionRow.ByCreation, static row => row.CreatedAt),
        new("expiresAt", "ExpiresAt", SessionRow.ByExpiry, static row => row.ExpiresAt));

    public static void Map(RouteGroupBuilder admin)
    {
        var sessions = admin.MapGroup("/sessions").WithTags("Sessions");
        sessions.MapGet("", ListAsync).RequireScope(AdminScope.ClientsRead);
        sessions.MapGet("/{id:guid}", GetAsync).RequireScope(AdminScope.ClientsRead);
        sessions.MapPost("/{id:guid}/revoke", RevokeAsync).RequireScope(AdminScope.SessionsRevoke);
        sessions.MapPost("/revoke", RevokeManyAsync).RequireScope(AdminScope.SessionsRevoke);
    }

    /// <summary>Sessions that are neither revoked nor expired.</summary>
    public static IQueryable<SessionRow> WhereLiving(this IQueryable<SessionRow> sessions, DateTimeOffset now) =>
        sessions.Where(row => row.RevokedAt == null && row.ExpiresAt > now);

    /// <summary>Lists the sessions</summary>
    /// <remarks>
    /// A page at a time, oldest first unless asked otherwise; ended sessions are listed too, as long as they are kept.
    /// </remarks>
    /// <param name="page">Which page.</param>
    /// <param name="sort">By what: createdAt or expiresAt; with `-` before it the other way round.</param>
    /// <param name="client">Only sessions of this client.</param>
    /// <param name="device">Only sessions of this device; its client is to be given too, since device ids are unique only there.</param>
    /// <param name="database">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <param name="living">Only sessions that are neither revoked nor expired.</param>
    private static async Task<Results<Ok<Page<SessionView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page,
        string? sort,
        Guid? client,
        Guid? device,
        AuthDbContext database,
        TimeProvider time,
        CancellationToken cancellationToken,
        bool living = false)
    {
        if (!Orders.TryRead(page, sort, out var list, out var problem))
        {
            return problem;
        }

        if (client is { } wanted)
        {
            list.Query.WhereFew("\"ClientId\" = @", wanted);
        }

        if (device is { } one)
        {
            if (client is null)
            {
                return AdminResults.Wrong("client", "A device's id is unique within its client alone: say the client too.");
            }

            list.Query.Where("\"DeviceId\" = @", one);
        }

        if (living)
        {
            list.Query.Where("\"RevokedAt\" IS NULL").Where("\"ExpiresAt\" > @", time.GetUtcNow());
        }

        return TypedResults.Ok(list.Show(await list.ReadAsync(database, cancellationToken), SessionView.Of));
    }

    /// <summary>Shows a session</summary>
    /// <param name="id" example="4f1c2a9b-e07d-4c31-a5d8-6e0f9b7c2d14">The session's id.</param>
    /// <param name="database">The database.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<SessionView>, NotFound>> GetAsync(
        Guid id, AuthDbContext database, HttpContext context, CancellationToken cancellationToken)
    {
        if (await database.Sessions.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } session)
        {
            return TypedResults.NotFound();
        }

        session.Tag().SendWith(context.Response);
        return TypedResults.Ok(SessionView.Of(session));
    }

    /// <summary>Ends a session</summary>
    /// <remarks>Connections on it are cut, here and at message servers. Its client may log in again at once.</remarks>
    /// <param name="id" example="4f1c2a9b-e07d-4c31-a5d8-6e0f9b7c2d14">The session's id.</param>
    /// <param name="ifMatch">The `ETag` of the session as it was read: if it was changed since, nothing is done.</param>
    /// <param name="sessions">What admins do to sessions.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> RevokeAsync(
        Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        SessionAdministration sessions,
        HttpContext context,
        CancellationToken cancellationToken) =>
        AdminResults.Changed(await sessions.RevokeAsync(id, Precondition.Parse(ifMatch), context.ToOrigin(), cancellationToken));

    /// <summary>Ends many sessions</summary>
    /// <remarks>
    /// Listed `sessions` are ended at once, all or none. What is said by `clients`, `createdBefore` or `all` is a job: sessions are
    /// ended some hundred at a time, and logins go on in between. A session that begins while it runs is not ended.
    /// </remarks>
    /// <param name="wanted">Which sessions.</param>
    /// <param name="sessions">What admins do to sessions.</param>
    /// <param name="jobs">Runs the job.</param>
    /// <param name="database">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<RevokedSessionsView>, Accepted<JobView>, ValidationProblem>> RevokeManyAsync(
        SessionsToRevoke wanted,
        SessionAdministration sessions,
        AdminJobs jobs,
        AuthDbContext database,
        TimeProvider time,
        HttpContext context,
        CancellationToken cancellationToken)
    {
        var isByFilter = wanted.Clients is { Count: > 0 } || wanted.CreatedBefore is not null;
        var isAll = wanted.All == true;
        if ((wanted.Sessions is { Count: > 0 } ? 1 : 0) + (isByFilter ? 1 : 0) + (isAll ? 1 : 0) != 1)
        {
            return AdminResults.Wrong("all", "Say which sessions: sessions; or clients, createdBefore or both; or else all=true alone.");
        }

        if (wanted.Sessions is { Count: > 0 } ids)
        {
            return TypedResults.Ok(new RevokedSessionsView(await sessions.RevokeAsync(ids, context.ToOrigin(), cancellationToken)));
        }

        // What is stored has no more than milliseconds: a session of this very one is meant too.
        var now = time.GetUtcNow();
        var filter = new SessionFilter(
            wanted.Clients is { Count: > 0 } clients ? clients : null,
            wanted.CreatedBefore is { } before && before <= now ? before : now + TimeSpan.FromMilliseconds(1));
        var origin = context.ToOrigin();
        var total = await SessionAdministration.CountAsync(database, filter, now, cancellationToken);
        var job = await jobs.StartAsync(
            "revoke sessions",
            isAll ? "of everybody" : filter.Clients is { Count: var count } ? $"of {count} {(count == 1 ? "client" : "clients")}" : "of everybody, by age",
            origin,
            async (progress, aborted) =>
            {
                progress.SetTotal(total);
                await sessions.RevokeAsync(filter, origin, progress, aborted);
            },
            cancellationToken);
        return AdminResults.Accepted(job);
    }
}
