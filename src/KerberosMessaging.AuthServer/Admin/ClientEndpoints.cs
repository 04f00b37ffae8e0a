using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Admin;

/// <summary>A client of the realm.</summary>
/// <param name="Id" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client's id.</param>
/// <param name="Name" example="alice">The name as registered.</param>
/// <param name="CreatedAt" example="2026-05-04T08:15:30Z">When it registered.</param>
/// <param name="HomeServerId" example="7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97">The message server that holds its mailboxes; null while it has none.</param>
/// <param name="Devices" example="1">How many active devices it has.</param>
internal sealed record ClientView(Guid Id, string Name, DateTimeOffset CreatedAt, Guid? HomeServerId, int Devices);

internal static class ClientEndpoints
{
    /// <summary>Lists the clients</summary>
    /// <remarks>Oldest first, a page at a time.</remarks>
    public static async Task<Results<Ok<Page<ClientView>>, ValidationProblem>> ListAsync(
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
        var rows = await database.Clients
            .FromSql($"""
                SELECT * FROM "Clients" WHERE ("CreatedAt", "Id") > ({createdAt}, {id.ToByteArray(true)})
                ORDER BY "CreatedAt", "Id" LIMIT {limit + 1}
                """)
            .AsNoTracking()
            .ToListAsync(cancellationToken);
        var ids = rows.ConvertAll(static row => row.Id);
        var devices = await database.Devices
            .Where(row => ids.Contains(row.ClientId) && row.RevokedAt == null)
            .GroupBy(static row => row.ClientId)
            .ToDictionaryAsync(static group => group.Key, static group => group.Count(), cancellationToken);
        return TypedResults.Ok(rows.ToPage(
            limit,
            row => new ClientView(row.Id, row.Name, row.CreatedAt, row.HomeServerId, devices.GetValueOrDefault(row.Id)),
            static row => PageCursor.Encode(row.CreatedAt.ToUnixTimeMilliseconds(), row.Id)));
    }
}
