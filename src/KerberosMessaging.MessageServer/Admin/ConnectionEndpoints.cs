using System.ComponentModel.DataAnnotations;
using System.Net;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace KerberosMessaging.MessageServer.Admin;

internal static class ConnectionEndpoints
{
    private static readonly TimeSpan KickGrace = TimeSpan.FromSeconds(2);

    public static void Map(RouteGroupBuilder admin)
    {
        var connections = admin.MapGroup("/connections").WithTags("Connections");
        connections.MapGet("", List).RequireScope(AdminScope.ClientsRead);
        connections.MapGet("/{sessionId:guid}", Get).RequireScope(AdminScope.ClientsRead);
        connections.MapPost("/{sessionId:guid}/kick", KickAsync).RequireScope(AdminScope.Ops);
    }

    /// <summary>Lists the open connections</summary>
    /// <remarks>Oldest first, a page at a time; connections without a ticket yet are listed too.</remarks>
    /// <param name="page">Which page.</param>
    /// <param name="client">Only those of this client: its id, or its whole name as its ticket says.</param>
    /// <param name="signedIn">Only those that have presented a ticket, or only those that have not.</param>
    /// <param name="address">Only those from this IP address.</param>
    /// <param name="registry">The connections.</param>
    /// <param name="mailboxes">The mailboxes.</param>
    private static Results<Ok<Page<ConnectionView>>, ValidationProblem> List(
        [AsParameters] PageRequest page, string? client, bool? signedIn, string? address, ConnectionRegistry registry, MailboxDirectory mailboxes)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        // In one form, as connections have it.
        var peer = string.IsNullOrEmpty(address) ? null : IPAddress.TryParse(address, out var parsed) ? parsed.ToString() : "";
        if (peer is "")
        {
            return AdminResults.Wrong("address", "This is no IP address.");
        }

        var start = after ?? PagePosition.Start;
        var rows = registry.All
            .Select(static connection => (Connection: connection, Key: Key(connection), connection.Principal))
            .Where(row => row.Key.CompareTo((start.CreatedAtMs, start.Id)) > 0
                && (peer is null || row.Connection.RemoteAddress == peer)
                && (signedIn is null || row.Principal is not null == signedIn)
                && (string.IsNullOrEmpty(client) || IsOf(row.Principal, client)))
            .OrderBy(static row => row.Key)
            .Take(limit + 1)
            .ToArray();
        return TypedResults.Ok(rows.ToPage(
            limit, row => Show(row.Connection, mailboxes), static row => PageCursor.Encode(row.Key.ConnectedAtMs, row.Key.Session)));
    }

    /// <summary>Shows an open connection</summary>
    /// <param name="sessionId" example="4f1c2a9b-e07d-4c31-a5d8-6e0f9b7c2d14">The channel's session id.</param>
    /// <param name="registry">The connections.</param>
    /// <param name="mailboxes">The mailboxes.</param>
    /// <param name="context">The request.</param>
    private static Results<Ok<ConnectionView>, NotFound> Get(
        Guid sessionId, ConnectionRegistry registry, MailboxDirectory mailboxes, HttpContext context)
    {
        if (registry.Find(new SessionId(sessionId)) is not { } connection)
        {
            return TypedResults.NotFound();
        }

        TagOf(sessionId).SendWith(context.Response);
        return TypedResults.Ok(Show(connection, mailboxes));
    }

    /// <summary>Ends a connection</summary>
    /// <remarks>
    /// What it has asked is answered first; then the client is told to come back after a while, and repeats what has no answer. Nothing is lost, and nothing
    /// keeps it away: to lock a client out, disable it at the auth server.
    /// </remarks>
    /// <param name="sessionId" example="4f1c2a9b-e07d-4c31-a5d8-6e0f9b7c2d14">The channel's session id.</param>
    /// <param name="request">Why, and when the client may come back.</param>
    /// <param name="ifMatch">Ends it only if it is the one that was read.</param>
    /// <param name="registry">The connections.</param>
    /// <param name="audit">The audit log.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ValidationProblem, ProblemHttpResult>> KickAsync(
        Guid sessionId,
        KickRequest? request,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        ConnectionRegistry registry,
        IAuditWriter audit,
        HttpContext context,
        CancellationToken cancellationToken)
    {
        if (registry.Find(new SessionId(sessionId)) is not { } connection)
        {
            return TypedResults.NotFound();
        }

        if (!Precondition.Parse(ifMatch).Holds(TagOf(sessionId)))
        {
            return AdminResults.Stale();
        }

        var target = connection.Principal is { } peer ? $"client {peer.Client.Value} device {peer.Device.Value}" : "nobody signed in";
        await audit.WriteAsync(
            new AuditEvent(AuditKind.ConnectionKicked, context.ToOrigin(), $"connection {sessionId}", Join(target, request?.Reason)), cancellationToken);
        connection.SendAway(TimeSpan.FromSeconds(request?.RetryAfterSeconds ?? 1), KickGrace);
        return TypedResults.NoContent();
    }

    private static string Join(string target, string? reason) => string.IsNullOrWhiteSpace(reason) ? target : $"{target}: {reason.Trim()}";

    private static EntityTag TagOf(Guid session) => EntityTag.Of(session);

    private static bool IsOf(WirePrincipal? principal, string client) =>
        principal is not null && (Guid.TryParse(client, out var id) ? principal.Client.Value == id : principal.ClientName == client);

    private static (long ConnectedAtMs, Guid Session) Key(WireConnection connection) =>
        (connection.ConnectedAt.ToUnixTimeMilliseconds(), connection.Session.Value);

    private static ConnectionView Show(WireConnection connection, MailboxDirectory mailboxes)
    {
        var principal = connection.Principal;
        var receiving = principal is null ? null : mailboxes.Find(new DeviceAddress(principal.Client, principal.Device))?.Receiver;
        return new ConnectionView(
            connection.Session.Value,
            connection.RemoteAddress,
            principal?.ClientName,
            principal?.Client.Value,
            principal?.Device.Value,
            connection.ConnectedAt,
            principal?.EndsAt,
            receiving?.Session == connection.Session ? receiving.Credit : null);
    }
}

/// <summary>How to end a connection.</summary>
/// <param name="Reason" example="stuck since the network change">Why, for the audit log; the client is not told.</param>
/// <param name="RetryAfterSeconds" example="5">After how many seconds the client is told to come back; 1 when missing.</param>
public sealed record KickRequest([StringLength(200)] string? Reason = null, [Range(1, 3600)] int? RetryAfterSeconds = null);
