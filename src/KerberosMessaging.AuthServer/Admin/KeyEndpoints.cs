using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Admin;

/// <summary>One version of a key of the realm; the key itself is never shown.</summary>
/// <param name="Purpose" example="ticket">What it is for: realm, ticket, ticket-signing, opaque or audit.</param>
/// <param name="Version" example="3">Its key version number.</param>
/// <param name="CreatedAt" example="2026-05-04T08:00:00Z">When it was made.</param>
/// <param name="AgeDays" example="12">Its age in whole days.</param>
/// <param name="IsNewest" example="true">Whether it is the newest version of its key.</param>
/// <param name="NeededUntil" example="2026-06-03T18:00:00Z">When it will be removed; null while it is in use, or while that is not known.</param>
internal sealed record KeyView(
    string Purpose, uint Version, DateTimeOffset CreatedAt, int AgeDays, bool IsNewest, DateTimeOffset? NeededUntil);

/// <summary>A new version of a key.</summary>
/// <param name="Purpose" example="ticket">What it is for.</param>
/// <param name="Version" example="4">Its key version number.</param>
internal sealed record RotatedKeyView(string Purpose, uint Version);

/// <summary>A key of the realm with all versions that are kept.</summary>
/// <param name="Purpose" example="ticket">What it is for: realm, ticket, ticket-signing, opaque or audit.</param>
/// <param name="Version" example="3">The newest version's number.</param>
/// <param name="CreatedAt" example="2026-05-04T08:00:00Z">When the newest version was made.</param>
/// <param name="AgeDays" example="12">Its age in whole days.</param>
/// <param name="Versions">Every version that is kept, oldest first.</param>
internal sealed record KeyDetailView(
    string Purpose, uint Version, DateTimeOffset CreatedAt, int AgeDays, IReadOnlyList<KeyView> Versions);

internal static class KeyEndpoints
{
    // The OPAQUE seed stands for the pair that it makes with the private key of the same version.
    private static readonly Dictionary<RealmKeyPurpose, string> Names = new()
    {
        [RealmKeyPurpose.Realm] = "realm",
        [RealmKeyPurpose.Ticket] = "ticket",
        [RealmKeyPurpose.TicketSigning] = "ticket-signing",
        [RealmKeyPurpose.OprfSeed] = "opaque",
        [RealmKeyPurpose.Audit] = "audit",
    };

    public static void Map(RouteGroupBuilder admin)
    {
        var keys = admin.MapGroup("/keys").WithTags("Keys");
        keys.MapGet("", ListAsync).RequireScope(AdminScope.MetricsRead);
        keys.MapGet("/{purpose}", GetAsync).RequireScope(AdminScope.MetricsRead);
        keys.MapPost("/{purpose}/rotate", RotateAsync).RequireScope(AdminScope.KeysRotate).ProducesProblem(StatusCodes.Status409Conflict);
    }

    /// <summary>Lists the keys of the realm</summary>
    /// <remarks>Every version that is kept, by purpose, on one page. No key is shown. Those of message servers are in the list of servers.</remarks>
    private static async Task<Ok<Page<KeyView>>> ListAsync(AuthDbContext database, TimeProvider time, CancellationToken cancellationToken)
    {
        var keys = await ReadAsync(
            database.RealmKeys.Where(static row => row.Purpose != RealmKeyPurpose.OpaquePrivateKey), time.GetUtcNow(), cancellationToken);
        return TypedResults.Ok(new Page<KeyView>(keys, Next: null));
    }

    /// <summary>Shows a key of the realm</summary>
    /// <remarks>With every version that is kept. The key itself is never shown.</remarks>
    /// <param name="purpose" example="ticket">Which: realm, ticket, ticket-signing, opaque or audit.</param>
    /// <param name="database">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<KeyDetailView>, NotFound>> GetAsync(
        string purpose, AuthDbContext database, TimeProvider time, HttpContext context, CancellationToken cancellationToken)
    {
        var kind = Names.FirstOrDefault(name => name.Value == purpose).Key;
        var versions = kind == default ? [] : await ReadAsync(
            database.RealmKeys.Where(row => row.Purpose == kind), time.GetUtcNow(), cancellationToken);
        if (versions is not [.., var newest])
        {
            return TypedResults.NotFound();
        }

        EntityTags.Of(kind, newest.Version).SendWith(context.Response);
        return TypedResults.Ok(new KeyDetailView(purpose, newest.Version, newest.CreatedAt, newest.AgeDays, versions));
    }

    /// <summary>Rotates a key of the realm</summary>
    /// <remarks>
    /// A new version takes the old one's place, and nobody notices; the old one is removed once nothing under it can be valid.
    /// A key of which too many old versions are still needed is refused with 409. So is the realm's own key, which clients pin,
    /// and the one that chains the audit log.
    /// </remarks>
    /// <param name="purpose" example="ticket">Which: ticket, ticket-signing or opaque.</param>
    /// <param name="ifMatch">The `ETag` of the key as it was read: if it was changed since, nothing is done.</param>
    /// <param name="rotation">What rotates keys.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<RotatedKeyView>, NotFound, ProblemHttpResult>> RotateAsync(
        string purpose,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        KeyRotation rotation,
        HttpContext context,
        CancellationToken cancellationToken)
    {
        var found = Names.FirstOrDefault(name => name.Value == purpose);
        switch (found.Key)
        {
            case default(RealmKeyPurpose):
                return TypedResults.NotFound();
            case RealmKeyPurpose.Realm:
                return AdminResults.Conflict(
                    "Every client pins the realm's key, so it is not rotated: whoever has to replace it sets up a new realm.");
            case RealmKeyPurpose.Audit:
                return AdminResults.Conflict(
                    "The audit log is chained with this key from its first row, so it is not rotated: nobody could check the log any more.");
            default:
                return await rotation.RotateAsync(found.Key, Precondition.Parse(ifMatch), context.ToOrigin(), cancellationToken) switch
                {
                    { Change: AdminChange.Stale } => AdminResults.Stale(),
                    { Version: { } version } => TypedResults.Ok(new RotatedKeyView(purpose, version)),
                    _ => AdminResults.Conflict(
                        "Too many old versions of this key are still needed; the list of keys says until when. Try again once one is gone."),
                };
        }
    }

    private static async Task<List<KeyView>> ReadAsync(IQueryable<RealmKeyRow> keys, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var rows = await keys.AsNoTracking()
            .OrderBy(static row => row.Purpose).ThenBy(static row => row.Version)
            .Select(static row => new { row.Purpose, row.Version, row.CreatedAt, row.NeededUntil })
            .ToListAsync(cancellationToken);
        var newest = rows.GroupBy(static row => row.Purpose).Select(static group => group.Last()).ToHashSet();
        return rows.ConvertAll(row => new KeyView(
            Names[row.Purpose], row.Version, row.CreatedAt, (int)(now - row.CreatedAt).TotalDays, newest.Contains(row), row.NeededUntil));
    }
}
