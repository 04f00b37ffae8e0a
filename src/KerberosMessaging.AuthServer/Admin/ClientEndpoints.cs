using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Admin;

internal static class ClientEndpoints
{
    private const int NewestSessions = 50;

    // Sorts after every character that a name can hold.
    private const string AfterAll = "\U0010FFFF";

    public static void Map(RouteGroupBuilder admin)
    {
        var clients = admin.MapGroup("/clients").WithTags("Clients");
        clients.MapGet("", ListAsync).RequireScope(AdminScope.ClientsRead);
        clients.MapGet("/{id:guid}", GetAsync).RequireScope(AdminScope.ClientsRead);
        clients.MapDelete("/{id:guid}", DeleteAsync).RequireScope(AdminScope.ClientsWrite);
        clients.MapPost("/{id:guid}/disable", DisableAsync).RequireScope(AdminScope.ClientsWrite);
        clients.MapPost("/{id:guid}/enable", EnableAsync).RequireScope(AdminScope.ClientsWrite);
        clients.MapPost("/{id:guid}/reset-token", CreateResetTokenAsync).RequireScope(AdminScope.ClientsWrite);
        clients.MapPost("/{id:guid}/sessions/revoke", RevokeSessionsAsync).RequireScope(AdminScope.SessionsRevoke);
    }

    /// <summary>Lists the clients</summary>
    /// <remarks>Oldest first, a page at a time.</remarks>
    /// <param name="page">Which page.</param>
    /// <param name="name">Only clients whose name starts so, in whatever case; deleted ones have no name.</param>
    /// <param name="includeDeleted">Lists deleted clients too.</param>
    /// <param name="database">The database.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<Page<ClientView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page,
        string? name,
        AuthDbContext database,
        CancellationToken cancellationToken,
        bool includeDeleted = false)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        // EF Core cannot compare identifiers; SQLite and PostgreSQL both have row values.
        var (createdAt, id) = after ?? PagePosition.Start;
        var clients = database.Clients
            .FromSql($"""SELECT * FROM "Clients" WHERE ("CreatedAt", "Id") > ({createdAt}, {id.ToByteArray(true)})""");
        if (name is not null)
        {
            // What names start with is a name itself.
            if (!ClientName.TryParse(name, out var start))
            {
                return AdminResults.Wrong("name", "No client's name starts so.");
            }

            clients = database.Clients.FromSql($"""
                SELECT * FROM "Clients" WHERE ("CreatedAt", "Id") > ({createdAt}, {id.ToByteArray(true)})
                AND "NameKey" >= {start.Key} AND "NameKey" < {start.Key + AfterAll}
                """);
        }

        if (!includeDeleted || name is not null)
        {
            clients = clients.Where(static row => row.DeletedAt == null);
        }

        var rows = await clients.AsNoTracking()
            .OrderBy(static row => row.CreatedAt).ThenBy(static row => row.Id)
            .Take(limit + 1)
            .ToListAsync(cancellationToken);
        var ids = rows.ConvertAll(static row => row.Id);
        var devices = await database.Devices
            .Where(row => ids.Contains(row.ClientId) && row.RevokedAt == null)
            .GroupBy(static row => row.ClientId)
            .ToDictionaryAsync(static group => group.Key, static group => group.Count(), cancellationToken);
        return TypedResults.Ok(rows.ToPage(
            limit,
            row => new ClientView(
                row.Id, row.Name, row.CreatedAt, row.DisabledAt, row.DeletedAt, row.HomeServerId, devices.GetValueOrDefault(row.Id)),
            static row => PageCursor.Encode(row.CreatedAt.ToUnixTimeMilliseconds(), row.Id)));
    }

    /// <summary>Shows a client</summary>
    /// <remarks>With its active devices and its living sessions. A deleted client is shown too: when it was deleted.</remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="database">The database.</param>
    /// <param name="devices">The devices.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<ClientDetailView>, NotFound>> GetAsync(
        Guid id, AuthDbContext database, DeviceService devices, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await database.Clients.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } client)
        {
            return TypedResults.NotFound();
        }

        var living = database.Sessions.AsNoTracking().Where(row => row.ClientId == id).WhereLiving(time.GetUtcNow());
        var count = await living.CountAsync(cancellationToken);
        var sessions = await living
            .OrderByDescending(static row => row.CreatedAt)
            .Take(NewestSessions)
            .ToListAsync(cancellationToken);
        var active = await devices.ListAsync(new Protocol.ClientId(id), cancellationToken);
        return TypedResults.Ok(new ClientDetailView(
            client.Id,
            client.Name,
            client.CreatedAt,
            client.PasswordChangedAt,
            client.DisabledAt,
            client.DeletedAt,
            client.HomeServerId,
            [.. active.Select(DeviceView.Of)],
            count,
            [.. sessions.Select(SessionView.Of)]));
    }

    /// <summary>Disables a client</summary>
    /// <remarks>Its sessions end at once, and it logs in no more until it is enabled again. Nothing of it is lost.</remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="clients">What admins do to clients.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound>> DisableAsync(
        Guid id, ClientAdministration clients, HttpContext context, CancellationToken cancellationToken) =>
        AdminResults.Changed(await clients.DisableAsync(id, context.ToOrigin(), cancellationToken));

    /// <summary>Enables a disabled client</summary>
    /// <remarks>It may log in again; its old sessions stay ended.</remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="clients">What admins do to clients.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound>> EnableAsync(
        Guid id, ClientAdministration clients, HttpContext context, CancellationToken cancellationToken) =>
        AdminResults.Changed(await clients.EnableAsync(id, context.ToOrigin(), cancellationToken));

    /// <summary>Deletes a client for good</summary>
    /// <remarks>
    /// Its sessions and devices end, its password record and its name are removed. Nobody can register the name again. This
    /// cannot be undone: to keep somebody out for a while, disable the client.
    /// </remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="clients">What admins do to clients.</param>
    /// <param name="database">The database.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound>> DeleteAsync(
        Guid id, ClientAdministration clients, AuthDbContext database, HttpContext context, CancellationToken cancellationToken) =>
        AdminResults.Changed(
            await clients.DeleteAsync(id, context.ToOrigin(), cancellationToken)

            // Deleted before.
            || await database.Clients.AnyAsync(row => row.Id == id, cancellationToken));

    /// <summary>Makes a token that resets the password</summary>
    /// <remarks>
    /// For a client that lost its password. Its sessions end at once, and earlier reset tokens of it are revoked; when the
    /// token is used, its devices end too. The token is shown only in this reply: give it to the person on a way that only
    /// they can read.
    /// </remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="clients">What admins do to clients.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Created<NewTokenView>, NotFound>> CreateResetTokenAsync(
        Guid id, ClientAdministration clients, HttpContext context, CancellationToken cancellationToken) =>
        await clients.MakeResetTokenAsync(id, context.ToOrigin(), cancellationToken) is { } made
            ? NewTokenView.Created(made)
            : TypedResults.NotFound();

    /// <summary>Ends all sessions of a client</summary>
    /// <remarks>It may log in again at once; its devices and its password stay.</remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="clients">What admins do to clients.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound>> RevokeSessionsAsync(
        Guid id, ClientAdministration clients, HttpContext context, CancellationToken cancellationToken) =>
        AdminResults.Changed(await clients.RevokeSessionsAsync(id, context.ToOrigin(), cancellationToken) is not null);
}
