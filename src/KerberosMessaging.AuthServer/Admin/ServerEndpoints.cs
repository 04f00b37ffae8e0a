using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Admin;

/// <summary>A message server of the realm.</summary>
/// <param name="Id" example="7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97">The server's id.</param>
/// <param name="Name" example="msg-1">Its name for people.</param>
/// <param name="Host" example="msg.example.org">Where clients reach it.</param>
/// <param name="Port" example="1257">Its TCP port.</param>
/// <param name="KeyVersion" example="1">Key version number of its service key.</param>
/// <param name="EnrolledAt" example="2026-05-04T08:00:00Z">When it enrolled.</param>
/// <param name="DisabledAt" example="2026-06-01T12:00:00Z">When it was disabled; null while it is active.</param>
internal sealed record ServerView(
    Guid Id,
    string Name,
    string Host,
    int Port,
    uint KeyVersion,
    DateTimeOffset EnrolledAt,
    DateTimeOffset? DisabledAt);

/// <summary>A one-time enrolment token for a message server.</summary>
/// <param name="Token" example="kmsg_enrol_EXAMPLE_EXAMPLE_EXAMPLE_EXAMPLE_EXAMPLE_EXA">The token, shown only in this reply.</param>
/// <param name="ExpiresAt" example="2026-05-05T08:00:00Z">Until when it can be used.</param>
internal sealed record EnrolmentTokenView(string Token, DateTimeOffset ExpiresAt);

internal static class ServerEndpoints
{
    /// <summary>Lists the message servers</summary>
    /// <remarks>Oldest first, a page at a time.</remarks>
    public static async Task<Results<Ok<Page<ServerView>>, ValidationProblem>> ListAsync(
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
        var rows = await database.MessageServers
            .FromSql($"""
                SELECT * FROM "MessageServers" WHERE ("EnrolledAt", "Id") > ({createdAt}, {id.ToByteArray(true)})
                ORDER BY "EnrolledAt", "Id" LIMIT {limit + 1}
                """)
            .AsNoTracking()
            .ToListAsync(cancellationToken);
        var ids = rows.ConvertAll(static row => row.Id);
        var versions = await database.ServiceKeys
            .Where(key => ids.Contains(key.ServerId) && key.ConfirmedAt != null)
            .GroupBy(static key => key.ServerId)
            .ToDictionaryAsync(static group => group.Key, static group => group.Max(static key => key.Version), cancellationToken);
        return TypedResults.Ok(rows.ToPage(
            limit,
            row => new ServerView(
                row.Id, row.Name, row.Host, row.Port, versions.GetValueOrDefault(row.Id), row.EnrolledAt, row.DisabledAt),
            static row => PageCursor.Encode(row.EnrolledAt.ToUnixTimeMilliseconds(), row.Id)));
    }

    /// <summary>Makes an enrolment token</summary>
    /// <remarks>A new message server presents it once, at its first start. It is shown only in this reply.</remarks>
    public static async Task<Created<EnrolmentTokenView>> CreateEnrolmentTokenAsync(
        OneTimeTokens tokens,
        IOptions<AuthOptions> options,
        HttpContext context,
        CancellationToken cancellationToken)
    {
        var made = await tokens.MakeEnrolmentAsync(server: null, options.Value.EnrolmentTokenLife, context.ToOrigin(), cancellationToken);
        return TypedResults.Created((string?)null, new EnrolmentTokenView(made.Token, made.ExpiresAt));
    }
}
