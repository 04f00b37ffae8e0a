using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Cryptography;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Admin;

/// <summary>Failed logins from one address, under one name or under all names together.</summary>
/// <param name="ClientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client of that name; null for a name that is not registered, and for all names together.</param>
/// <param name="IsForAllNames" example="false">Whether it counts the address under all names together.</param>
/// <param name="Address" example="192.0.2.7">The IP address; of IPv6 the network of 64 bits.</param>
/// <param name="Failures" example="10">How many logins failed.</param>
/// <param name="FirstAt" example="2026-05-04T08:15:30Z">When the first of them failed.</param>
/// <param name="LastAt" example="2026-05-04T08:20:00Z">When the last of them failed.</param>
/// <param name="BlockedUntil" example="2026-05-04T08:35:00Z">Until when no further try is taken; null while tries are taken.</param>
internal sealed record LockoutView(
    Guid? ClientId,
    bool IsForAllNames,
    string Address,
    int Failures,
    DateTimeOffset FirstAt,
    DateTimeOffset LastAt,
    DateTimeOffset? BlockedUntil);

/// <summary>How many failures were forgotten.</summary>
/// <param name="Cleared" example="2">How many rows of the list of lockouts went.</param>
internal sealed record ClearedView(int Cleared);

internal static class LockoutEndpoints
{
    public static void Map(RouteGroupBuilder admin)
    {
        var lockouts = admin.MapGroup("/lockouts").WithTags("Lockouts");
        lockouts.MapGet("", ListAsync).RequireScope(AdminScope.ClientsRead);
        lockouts.MapDelete("", ClearAsync).RequireScope(AdminScope.ClientsWrite);
    }

    /// <summary>Lists failed logins and who is locked out</summary>
    /// <remarks>
    /// In an order of no meaning, a page at a time. Names that were tried are not shown: people type passwords there by mistake.
    /// </remarks>
    /// <param name="page">Which page.</param>
    /// <param name="client">Only failures under this client's name.</param>
    /// <param name="address">Only failures from this IP address.</param>
    /// <param name="database">The database.</param>
    /// <param name="protection">Seals cursors.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <param name="blocked">Only those that are blocked now.</param>
    private static async Task<Results<Ok<Page<LockoutView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page,
        Guid? client,
        string? address,
        AuthDbContext database,
        IDataProtectionProvider protection,
        TimeProvider time,
        CancellationToken cancellationToken,
        bool blocked = false)
    {
        var cursors = protection.CreateProtector("kmsg lockout cursors");
        if (!page.TryReadByKey(out var limit, out var after, out var problem)
            || !Place.TryOpen(after, cursors, out var place, out problem)
            || !TryReadAddress(address, out problem))
        {
            return problem;
        }

        var failures = database.LoginFailures
            .FromSql($"""SELECT * FROM "LoginFailures" WHERE ("NameHash", "Address") > ({place.NameHash}, {place.Address})""")
            .AsNoTracking();
        if (client is not null)
        {
            failures = failures.Where(row => row.ClientId == client);
        }

        if (address is not null)
        {
            var group = AddressGroup.Of(address);
            failures = failures.Where(row => row.Address == group);
        }

        var now = time.GetUtcNow();
        if (blocked)
        {
            failures = failures.Where(row => row.BlockedUntil > now);
        }

        var rows = await failures
            .OrderBy(static row => row.NameHash).ThenBy(static row => row.Address)
            .Take(limit + 1)
            .ToListAsync(cancellationToken);
        return TypedResults.Ok(rows.ToPage(
            limit,
            row => new LockoutView(
                row.ClientId,
                row.NameHash.Length == 0,
                row.Address,
                row.Failures,
                row.FirstAt,
                row.LastAt,
                row.BlockedUntil > now ? row.BlockedUntil : null),
            row => new Place(row.NameHash, row.Address).Seal(cursors)));
    }

    /// <summary>Forgets failed logins</summary>
    /// <remarks>
    /// Of a client, from an address, or of a client from an address: whoever was locked out by them may try again at once.
    /// All together only with `all=true`.
    /// </remarks>
    /// <param name="client">Failures under this client's name.</param>
    /// <param name="address">Failures from this IP address.</param>
    /// <param name="guard">What counts failed logins.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <param name="all">All failures.</param>
    private static async Task<Results<Ok<ClearedView>, ValidationProblem>> ClearAsync(
        Guid? client, string? address, LoginGuard guard, HttpContext context, CancellationToken cancellationToken, bool all = false)
    {
        if (!TryReadAddress(address, out var problem))
        {
            return problem;
        }

        if (all == (client is not null || address is not null))
        {
            return AdminResults.Wrong("all", "Say which failures: a client, an address or both, or else all=true alone.");
        }

        return TypedResults.Ok(new ClearedView(await guard.ClearAsync(client, address, context.ToOrigin(), cancellationToken)));
    }

    // An address, or a network as the list shows it.
    private static bool TryReadAddress(string? address, [NotNullWhen(false)] out ValidationProblem? problem)
    {
        var isRight = address is null || IPAddress.TryParse(address, out _) || IPNetwork.TryParse(address, out _);
        problem = isRight ? null : AdminResults.Wrong("address", "This is no IP address.");
        return isRight;
    }

    /// <summary>
    /// Where a page ended. It names the hash of what somebody typed as a name, which may be a password: it leaves the server
    /// sealed.
    /// </summary>
    private readonly record struct Place(byte[] NameHash, string Address)
    {
        public static bool TryOpen(
            PageKeyPosition? after, IDataProtector cursors, out Place place, [NotNullWhen(false)] out ValidationProblem? problem)
        {
            (place, problem) = (new Place([], ""), null);
            if (after is not { } position)
            {
                return true;
            }

            try
            {
                var parts = cursors.Unprotect(position.SortKey).Split(' ');
                place = new Place(Convert.FromHexString(parts[0]), parts[1]);
                return true;
            }
            catch (CryptographicException)
            {
                problem = AdminResults.Wrong("cursor", "The cursor is not one this list returned; leave it out to start from the beginning.");
                return false;
            }
        }

        public string Seal(IDataProtector cursors) =>
            PageCursor.Encode(cursors.Protect($"{Convert.ToHexString(NameHash)} {Address}"), Guid.Empty);
    }
}
