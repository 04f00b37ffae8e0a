using KerberosMessaging.AuthServer.Admin.Lists;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Admin;

internal static class ClientEndpoints
{
    private const int NewestSessions = 50;

    private static readonly SortOrders<ClientRow> Orders = new(
        "Clients",
        static row => row.Id,
        new("createdAt", "CreatedAt", ClientRow.ByCreation, static row => row.CreatedAt),
        new("name", "NameKey", ClientRow.ByName, static row => row.NameKey, IsText: true),
        new("lastSeenAt", "LastSeenAt", ClientRow.ByLastSeen, static row => row.LastSeenAt));

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
    /// <remarks>
    /// A page at a time, oldest first unless asked otherwise. A client that neither comes nor goes while pages are read is on
    /// exactly one of them; sorted by `lastSeenAt`, that is so for those that are not seen meanwhile.
    /// </remarks>
    /// <param name="page">Which page.</param>
    /// <param name="filter">Which clients.</param>
    /// <param name="sort">By what: createdAt, name or lastSeenAt; with `-` before it the other way round.</param>
    /// <param name="database">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <param name="living">Only clients with a session that is neither revoked nor expired.</param>
    /// <param name="includeDeleted">Lists deleted clients too.</param>
    private static async Task<Results<Ok<Page<ClientView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page,
        [AsParameters] ClientFilterRequest filter,
        string? sort,
        AuthDbContext database,
        TimeProvider time,
        CancellationToken cancellationToken,
        bool living = false,
        bool includeDeleted = false)
    {
        if (!Orders.TryRead(page, sort, out var list, out var problem)
            || !filter.TryAdd(list.Query, includeDeleted, out problem))
        {
            return problem;
        }

        if (living)
        {
            await ClientFilterRequest.AddLivingAsync(list.Query, database, time.GetUtcNow(), cancellationToken);
        }

        var rows = await list.ReadAsync(database, cancellationToken);
        var ids = rows.ConvertAll(static row => row.Id);
        var devices = await database.Devices
            .Where(row => ids.Contains(row.ClientId) && row.RevokedAt == null)
            .GroupBy(static row => row.ClientId)
            .ToDictionaryAsync(static group => group.Key, static group => group.Count(), cancellationToken);
        return TypedResults.Ok(list.Show(rows, row => new ClientView(
            row.Id,
            row.Name,
            row.CreatedAt,
            row.LastSeenAt,
            row.DisabledAt,
            row.DeletedAt,
            row.HomeServerId,
            devices.GetValueOrDefault(row.Id))));
    }

    /// <summary>Shows a client</summary>
    /// <remarks>With its active devices and its living sessions. A deleted client is shown too: when it was deleted.</remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="database">The database.</param>
    /// <param name="devices">The devices.</param>
    /// <param name="time">The clock.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<ClientDetailView>, NotFound>> GetAsync(
        Guid id, AuthDbContext database, DeviceService devices, TimeProvider time, HttpContext context, CancellationToken cancellationToken)
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
        client.Tag().SendWith(context.Response);
        return TypedResults.Ok(new ClientDetailView(
            client.Id,
            client.Name,
            client.CreatedAt,
            client.LastSeenAt,
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
    /// <param name="ifMatch">The `ETag` of the client as it was read: if it was changed since, nothing is done.</param>
    /// <param name="clients">What admins do to clients.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> DisableAsync(
        Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        ClientAdministration clients,
        HttpContext context,
        CancellationToken cancellationToken) =>
        AdminResults.Changed(await clients.DisableAsync(id, Precondition.Parse(ifMatch), context.ToOrigin(), cancellationToken));

    /// <summary>Enables a disabled client</summary>
    /// <remarks>It may log in again; its old sessions stay ended.</remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="ifMatch">The `ETag` of the client as it was read: if it was changed since, nothing is done.</param>
    /// <param name="clients">What admins do to clients.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> EnableAsync(
        Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        ClientAdministration clients,
        HttpContext context,
        CancellationToken cancellationToken) =>
        AdminResults.Changed(await clients.EnableAsync(id, Precondition.Parse(ifMatch), context.ToOrigin(), cancellationToken));

    /// <summary>Deletes a client for good</summary>
    /// <remarks>
    /// Its sessions and devices end, its password record and its name are removed. Nobody can register the name again. This
    /// cannot be undone: to keep somebody out for a while, disable the client.
    /// </remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="ifMatch">The `ETag` of the client as it was read: if it was changed since, nothing is done.</param>
    /// <param name="clients">What admins do to clients.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> DeleteAsync(
        Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        ClientAdministration clients,
        HttpContext context,
        CancellationToken cancellationToken) =>
        AdminResults.Changed(await clients.DeleteAsync(id, Precondition.Parse(ifMatch), context.ToOrigin(), cancellationToken));

    /// <summary>Makes a token that resets the password</summary>
    /// <remarks>
    /// For a client that lost its password. Its sessions end at once, and earlier reset tokens of it are revoked; when the
    /// token is used, its devices end too. The token is shown only in this reply: give it to the person on a way that only
    /// they can read.
    /// </remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="ifMatch">The `ETag` of the client as it was read: if it was changed since, nothing is done.</param>
    /// <param name="clients">What admins do to clients.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Created<NewTokenView>, NotFound, ProblemHttpResult>> CreateResetTokenAsync(
        Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        ClientAdministration clients,
        HttpContext context,
        CancellationToken cancellationToken) =>
        NewTokenView.Created(await clients.MakeResetTokenAsync(id, Precondition.Parse(ifMatch), context.ToOrigin(), cancellationToken));

    /// <summary>Ends all sessions of a client</summary>
    /// <remarks>It may log in again at once; its devices and its password stay.</remarks>
    /// <param name="id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="ifMatch">The `ETag` of the client as it was read: if it was changed since, nothing is done.</param>
    /// <param name="clients">What admins do to clients.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> RevokeSessionsAsync(
        Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        ClientAdministration clients,
        HttpContext context,
        CancellationToken cancellationToken)
    {
        var (change, _) = await clients.RevokeSessionsAsync(id, Precondition.Parse(ifMatch), context.ToOrigin(), cancellationToken);
        return AdminResults.Changed(change);
    }
}
