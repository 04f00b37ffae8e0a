using KerberosMessaging.AuthServer.Admin.Lists;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Protocol;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Admin;

/// <summary>A message server of the realm.</summary>
/// <param name="Id" example="7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97">The server's id.</param>
/// <param name="Name" example="msg-1">Its name for people.</param>
/// <param name="Host" example="msg.example.org">Where clients reach it.</param>
/// <param name="Port" example="1257">Its TCP port.</param>
/// <param name="KeyVersion" example="1">Key version number of its service key.</param>
/// <param name="WaitingKeyVersion" example="2">A newer version that the server has not confirmed yet; null when none waits.</param>
/// <param name="TicketSigningVersion" example="1">The newest ticket-signing key that the server has confirmed; 0 for none.</param>
/// <param name="EnrolledAt" example="2026-05-04T08:00:00Z">When it enrolled.</param>
/// <param name="LastSeenAt" example="2026-05-30T07:55:00Z">When it last connected and proved its key; null for a server that never did.</param>
/// <param name="DisabledAt" example="2026-06-01T12:00:00Z">When it was disabled; null while it is active.</param>
internal sealed record ServerView(
    Guid Id,
    string Name,
    string Host,
    int Port,
    uint KeyVersion,
    uint? WaitingKeyVersion,
    uint TicketSigningVersion,
    DateTimeOffset EnrolledAt,
    DateTimeOffset? LastSeenAt,
    DateTimeOffset? DisabledAt)
{
    public static ServerView Of(MessageServerRow row, IEnumerable<ServiceKeyRow> keys) => new(
        row.Id,
        row.Name,
        row.Host,
        row.Port,
        keys.Where(static key => key.ConfirmedAt is not null).Max(static key => (uint?)key.Version) ?? 0,
        keys.Where(static key => key is { ConfirmedAt: null, NeededUntil: null }).Max(static key => (uint?)key.Version),
        row.TicketSigningVersion,
        row.EnrolledAt,
        row.LastSeenAt,
        row.DisabledAt);
}

internal static class ServerEndpoints
{
    private static readonly SortOrders<MessageServerRow> Orders = new(
        "MessageServers",
        static row => row.Id,
        new SortColumn<MessageServerRow>("enrolledAt", "EnrolledAt", "IX_MessageServers_EnrolledAt_Id", static row => row.EnrolledAt));

    public static void Map(RouteGroupBuilder admin)
    {
        var all = admin.MapGroup("").WithTags("Message servers");
        all.MapGet("/servers", ListAsync).RequireScope(AdminScope.MetricsRead);
        all.MapGet("/servers/{id:guid}", GetAsync).RequireScope(AdminScope.MetricsRead);
        all.MapPost("/enrolment-tokens", CreateEnrolmentTokenAsync).RequireScope(AdminScope.Ops);
        all.MapPost("/servers/{id:guid}/enrolment-token", CreateNewEnrolmentTokenAsync).RequireScope(AdminScope.Ops);
        all.MapPost("/servers/{id:guid}/disable", DisableAsync).RequireScope(AdminScope.Ops);
        all.MapPost("/servers/{id:guid}/enable", EnableAsync).RequireScope(AdminScope.Ops);
        all.MapPost("/servers/{id:guid}/rotate-key", RotateKeyAsync).RequireScope(AdminScope.KeysRotate);
    }

    /// <summary>Lists the message servers</summary>
    /// <remarks>A page at a time, oldest first unless asked otherwise.</remarks>
    /// <param name="page">Which page.</param>
    /// <param name="sort">By what: enrolledAt; with `-` before it the other way round.</param>
    /// <param name="database">The database.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<Page<ServerView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page, string? sort, AuthDbContext database, CancellationToken cancellationToken)
    {
        if (!Orders.TryRead(page, sort, out var list, out var problem))
        {
            return problem;
        }

        var rows = await list.ReadAsync(database, cancellationToken);
        var ids = rows.ConvertAll(static row => row.Id);
        var keys = (await database.ServiceKeys.AsNoTracking().Where(key => ids.Contains(key.ServerId)).ToListAsync(cancellationToken))
            .ToLookup(static key => key.ServerId);
        return TypedResults.Ok(list.Show(rows, row => ServerView.Of(row, keys[row.Id])));
    }

    /// <summary>Shows a message server</summary>
    /// <param name="id" example="7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97">The server's id.</param>
    /// <param name="database">The database.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<ServerView>, NotFound>> GetAsync(
        Guid id, AuthDbContext database, HttpContext context, CancellationToken cancellationToken)
    {
        if (await database.MessageServers.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } server)
        {
            return TypedResults.NotFound();
        }

        var keys = await database.ServiceKeys.AsNoTracking().Where(key => key.ServerId == id).ToListAsync(cancellationToken);
        server.Tag(keys.Max(static key => (uint?)key.Version) ?? 0).SendWith(context.Response);
        return TypedResults.Ok(ServerView.Of(server, keys));
    }

    /// <summary>Makes an enrolment token</summary>
    /// <remarks>A new message server presents it once, at its first start. It is shown only in this reply.</remarks>
    private static async Task<Created<NewTokenView>> CreateEnrolmentTokenAsync(
        OneTimeTokens tokens, IOptions<AuthOptions> options, HttpContext context, CancellationToken cancellationToken) =>
        NewTokenView.Created(await tokens.MakeEnrolmentAsync(
            server: null, options.Value.EnrolmentTokenLife, context.ToOrigin(), cancellationToken));

    /// <summary>Makes a token that enrols a known message server anew</summary>
    /// <remarks>
    /// For a server that lost its data folder, or whose keys were stolen: it keeps its id and its clients, and gets new keys.
    /// From then on the old ones open nothing. The token is shown only in this reply.
    /// </remarks>
    /// <param name="id" example="7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97">The server's id.</param>
    /// <param name="ifMatch">The `ETag` of the server as it was read: if it was changed since, nothing is done.</param>
    /// <param name="servers">The message servers.</param>
    /// <param name="options">The realm's settings.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Created<NewTokenView>, NotFound, ProblemHttpResult>> CreateNewEnrolmentTokenAsync(
        Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        MessageServers servers,
        IOptions<AuthOptions> options,
        HttpContext context,
        CancellationToken cancellationToken) =>
        NewTokenView.Created(await servers.MakeEnrolmentAsync(
            new ServerId(id), Precondition.Parse(ifMatch), options.Value.EnrolmentTokenLife, context.ToOrigin(), cancellationToken));

    /// <summary>Disables a message server</summary>
    /// <remarks>It gets no more tickets and no more keys, and its channel is cut. Tickets that are out end by themselves, in minutes.</remarks>
    /// <param name="id" example="7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97">The server's id.</param>
    /// <param name="ifMatch">The `ETag` of the server as it was read: if it was changed since, nothing is done.</param>
    /// <param name="servers">The message servers.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> DisableAsync(
        Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        MessageServers servers,
        HttpContext context,
        CancellationToken cancellationToken) =>
        AdminResults.Changed(await servers.SetDisabledAsync(
            new ServerId(id), isDisabled: true, Precondition.Parse(ifMatch), context.ToOrigin(), cancellationToken));

    /// <summary>Enables a disabled message server</summary>
    /// <param name="id" example="7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97">The server's id.</param>
    /// <param name="ifMatch">The `ETag` of the server as it was read: if it was changed since, nothing is done.</param>
    /// <param name="servers">The message servers.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> EnableAsync(
        Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        MessageServers servers,
        HttpContext context,
        CancellationToken cancellationToken) =>
        AdminResults.Changed(await servers.SetDisabledAsync(
            new ServerId(id), isDisabled: false, Precondition.Parse(ifMatch), context.ToOrigin(), cancellationToken));

    /// <summary>Rotates the service key of a message server</summary>
    /// <remarks>
    /// The server fetches the new version and confirms it; only then tickets are made with it, so nobody notices. While one
    /// waits to be confirmed, no further one is made.
    /// </remarks>
    /// <param name="id" example="7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97">The server's id.</param>
    /// <param name="ifMatch">The `ETag` of the server as it was read: if it was changed since, nothing is done.</param>
    /// <param name="servers">The message servers.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> RotateKeyAsync(
        Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        MessageServers servers,
        HttpContext context,
        CancellationToken cancellationToken) =>
        AdminResults.Changed(await servers.RotateAsync(
            new ServerId(id), Precondition.Parse(ifMatch), context.ToOrigin(), cancellationToken));
}
