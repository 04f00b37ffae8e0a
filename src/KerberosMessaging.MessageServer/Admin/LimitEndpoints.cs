using System.ComponentModel.DataAnnotations;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Wire.Limits;
using KerberosMessaging.MessageServer.Persistence;
using KerberosMessaging.Protocol;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace KerberosMessaging.MessageServer.Admin;

internal static class LimitEndpoints
{
    public static void Map(RouteGroupBuilder admin)
    {
        var limits = admin.MapGroup("/limits/clients").WithTags("Limits").RequireScope(AdminScope.Ops);
        limits.MapGet("", List);
        limits.MapGet("/{clientId:guid}", Get);
        limits.MapPut("/{clientId:guid}", PutAsync);
        limits.MapDelete("/{clientId:guid}", DeleteAsync);
    }

    /// <summary>Lists the clients with a limit of their own</summary>
    /// <remarks>By client id, a page at a time. All others have the configured one.</remarks>
    /// <param name="page">Which page.</param>
    /// <param name="limits">The limits.</param>
    private static Results<Ok<Page<ClientLimitView>>, ValidationProblem> List([AsParameters] PageRequest page, ClientLimits limits)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        var rows = limits.All
            .OrderBy(static row => row.Client.Value)
            .Where(row => after is not { } place || row.Client.Value.CompareTo(place.Id) > 0)
            .Take(limit + 1)
            .ToArray();
        return TypedResults.Ok(rows.ToPage(limit, ClientLimitView.Of, static row => PageCursor.Encode(0, row.Client.Value)));
    }

    /// <summary>Shows a client's own limit</summary>
    /// <remarks>A client without one is a 404.</remarks>
    /// <param name="clientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="context">The request.</param>
    private static Results<Ok<ClientLimitView>, NotFound> Get(Guid clientId, ClientLimits limits, HttpContext context)
    {
        if (limits.Find(new ClientId(clientId)) is not { } limit)
        {
            return TypedResults.NotFound();
        }

        ClientLimitStore.TagOf(limit).SendWith(context.Response);
        return TypedResults.Ok(ClientLimitView.Of(limit));
    }

    /// <summary>Gives a client a limit of its own</summary>
    /// <remarks>
    /// It holds from the client's next request on, over all of its connections, until it expires; a restart does not end it. Whether there is such a client is not looked at:
    /// the limit waits for it.
    /// </remarks>
    /// <param name="clientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="request">The limit.</param>
    /// <param name="ifMatch">Replaces only the limit that was read.</param>
    /// <param name="store">The limits.</param>
    /// <param name="audit">The audit log.</param>
    /// <param name="time">The clock.</param>
    /// <param name="context">The request.</param>
    private static async Task<Results<Ok<ClientLimitView>, ValidationProblem, ProblemHttpResult>> PutAsync(
        Guid clientId,
        ClientLimitRequest request,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        ClientLimitStore store,
        IAuditWriter audit,
        TimeProvider time,
        HttpContext context)
    {
        var expiresAt = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().AddMinutes(request.Minutes!.Value).ToUnixTimeMilliseconds());
        var limit = new ClientLimit(new ClientId(clientId), request.RequestsPerSecond!.Value, request.Burst!.Value, expiresAt);
        var happened = new AuditEvent(
            AuditKind.LimitOverridden,
            context.ToOrigin(),
            $"client {clientId}",
            FormattableString.Invariant($"{limit.RequestsPerSecond} requests a second, {limit.Burst} at once, for {request.Minutes} minutes"));
        if (await store.SetAsync(limit, ifMatch, () => audit.WriteAsync(happened, CancellationToken.None)) == AdminChange.Stale)
        {
            return AdminResults.Stale();
        }

        ClientLimitStore.TagOf(limit).SendWith(context.Response);
        return TypedResults.Ok(ClientLimitView.Of(limit));
    }

    /// <summary>Takes a client's own limit away</summary>
    /// <remarks>The configured one holds from its next request on.</remarks>
    /// <param name="clientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
    /// <param name="ifMatch">Takes away only the limit that was read.</param>
    /// <param name="store">The limits.</param>
    /// <param name="audit">The audit log.</param>
    /// <param name="context">The request.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> DeleteAsync(
        Guid clientId, [FromHeader(Name = "If-Match")] string? ifMatch, ClientLimitStore store, IAuditWriter audit, HttpContext context)
    {
        var happened = new AuditEvent(AuditKind.LimitOverrideRemoved, context.ToOrigin(), $"client {clientId}");
        return AdminResults.Changed(
            await store.RemoveAsync(new ClientId(clientId), ifMatch, () => audit.WriteAsync(happened, CancellationToken.None)));
    }
}

/// <summary>A limit for one client.</summary>
/// <param name="RequestsPerSecond" example="10">Requests a second.</param>
/// <param name="Burst" example="50">Requests at once.</param>
/// <param name="Minutes" example="60">For how many minutes.</param>
public sealed record ClientLimitRequest(
    [Required, Range(1, 1_000_000)] int? RequestsPerSecond,
    [Required, Range(1, 1_000_000)] int? Burst,
    [Required, Range(1, 366 * 24 * 60)] int? Minutes);

/// <summary>A client's own limit.</summary>
/// <param name="ClientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
/// <param name="RequestsPerSecond" example="10">Requests a second, over all of its connections.</param>
/// <param name="Burst" example="50">Requests at once.</param>
/// <param name="ExpiresAt" example="2026-05-04T09:15:30Z">When the configured limit holds again.</param>
internal sealed record ClientLimitView(Guid ClientId, int RequestsPerSecond, int Burst, DateTimeOffset ExpiresAt)
{
    public static ClientLimitView Of(ClientLimit limit) => new(limit.Client.Value, limit.RequestsPerSecond, limit.Burst, limit.ExpiresAt);
}
