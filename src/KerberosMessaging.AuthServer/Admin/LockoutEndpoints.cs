using System.Diagnostics.CodeAnalysis;
using System.Net;
using KerberosMessaging.AuthServer.Admin.Lists;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Admin;

/// <summary>Failed logins from one address, under one name or under all names together.</summary>
/// <param name="Id" example="3e6f0a94-8c15-4b72-9d0e-51a7c2f4b863">What admins call it; it tells nothing of the name that was tried.</param>
/// <param name="ClientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client of that name; null for a name that is not registered, and for all names together.</param>
/// <param name="IsForAllNames" example="false">Whether it counts the address under all names together.</param>
/// <param name="Address" example="192.0.2.7">The IP address; of IPv6 the network of 64 bits.</param>
/// <param name="Failures" example="10">How many logins failed.</param>
/// <param name="FirstAt" example="2026-05-04T08:15:30Z">When the first of them failed.</param>
/// <param name="LastAt" example="2026-05-04T08:20:00Z">When the last of them failed.</param>
/// <param name="BlockedUntil" example="2026-05-04T08:35:00Z">Until when no further try is taken; null while tries are taken.</param>
internal sealed record LockoutView(
    Guid Id,
    Guid? ClientId,
    bool IsForAllNames,
    string Address,
    int Failures,
    DateTimeOffset FirstAt,
    DateTimeOffset LastAt,
    DateTimeOffset? BlockedUntil)
{
    public static LockoutView Of(LoginFailureRow row, DateTimeOffset now) => new(
        row.Id,
        row.ClientId,
        row.NameHash.Length == 0,
        row.Address,
        row.Failures,
        row.FirstAt,
        row.LastAt,
        row.BlockedUntil > now ? row.BlockedUntil : null);
}

/// <summary>How many failures were forgotten.</summary>
/// <param name="Cleared" example="2">How many rows of the list of lockouts went.</param>
internal sealed record ClearedView(int Cleared);

internal static class LockoutEndpoints
{
    private static readonly SortOrders<LoginFailureRow> Orders = new(
        "LoginFailures",
        static row => row.Id,
        new("firstAt", "FirstAt", "IX_LoginFailures_FirstAt_Id", static row => row.FirstAt),
        new("lastAt", "LastAt", "IX_LoginFailures_LastAt_Id", static row => row.LastAt));

    public static void Map(RouteGroupBuilder admin)
    {
        var lockouts = admin.MapGroup("/lockouts").WithTags("Lockouts");
        lockouts.MapGet("", ListAsync).RequireScope(AdminScope.ClientsRead);
        lockouts.MapGet("/{id:guid}", GetAsync).RequireScope(AdminScope.ClientsRead);
        lockouts.MapDelete("", ClearAsync).RequireScope(AdminScope.ClientsWrite);
        lockouts.MapDelete("/{id:guid}", ClearOneAsync).RequireScope(AdminScope.ClientsWrite);
    }

    /// <summary>Lists failed logins and who is locked out</summary>
    /// <remarks>
    /// A page at a time, those that failed first come first unless asked otherwise. Names that were tried are not shown: people type
    /// passwords there by mistake.
    /// </remarks>
    /// <param name="page">Which page.</param>
    /// <param name="sort">By what: firstAt or lastAt; with `-` before it the other way round.</param>
    /// <param name="client">Only failures under this client's name.</param>
    /// <param name="address">Only failures from this IP address.</param>
    /// <param name="database">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <param name="blocked">Only those that are blocked now.</param>
    private static async Task<Results<Ok<Page<LockoutView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page,
        string? sort,
        Guid? client,
        string? address,
        AuthDbContext database,
        TimeProvider time,
        CancellationToken cancellationToken,
        bool blocked = false)
    {
        if (!Orders.TryRead(page, sort, out var list, out var problem) || !TryReadAddress(address, out problem))
        {
            return problem;
        }

        var now = time.GetUtcNow();
        if (client is { } wanted)
        {
            list.Query.Where("\"ClientId\" = @", wanted);
        }

        if (address is not null)
        {
            list.Query.Where("\"Address\" = @", AddressGroup.Of(address));
        }

        if (blocked)
        {
            list.Query.Where("\"BlockedUntil\" > @", now);
        }

        return TypedResults.Ok(list.Show(await list.ReadAsync(database, cancellationToken), row => LockoutView.Of(row, now)));
    }

    /// <summary>Shows the failed logins of one row of the list</summary>
    /// <param name="id" example="3e6f0a94-8c15-4b72-9d0e-51a7c2f4b863">The row's id.</param>
    /// <param name="database">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<LockoutView>, NotFound>> GetAsync(
        Guid id, AuthDbContext database, TimeProvider time, HttpContext context, CancellationToken cancellationToken)
    {
        if (await database.LoginFailures.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } failures)
        {
            return TypedResults.NotFound();
        }

        failures.Tag().SendWith(context.Response);
        return TypedResults.Ok(LockoutView.Of(failures, time.GetUtcNow()));
    }

    /// <summary>Forgets failed logins</summary>
    /// <remarks>
    /// Of a client, from an address, or of a client from an address: whoever was locked out by them may try again at once.
    /// All together only with `all=true`.
    /// </remarks>
    /// <param name="client">Failures under this client's name.</param>
    /// <param name="address" example="192.0.2.7">Failures from this IP address.</param>
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

    /// <summary>Forgets the failed logins of one row of the list</summary>
    /// <remarks>Whoever was locked out by them may try again at once.</remarks>
    /// <param name="id" example="3e6f0a94-8c15-4b72-9d0e-51a7c2f4b863">The row's id.</param>
    /// <param name="ifMatch">The `ETag` of the row as it was read: if another login failed since, nothing is done.</param>
    /// <param name="guard">What counts failed logins.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> ClearOneAsync(
        Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        LoginGuard guard,
        HttpContext context,
        CancellationToken cancellationToken) =>
        AdminResults.Changed(await guard.ClearOneAsync(id, Precondition.Parse(ifMatch), context.ToOrigin(), cancellationToken));

    // An address, or a network as the list shows it.
    private static bool TryReadAddress(string? address, [NotNullWhen(false)] out ValidationProblem? problem)
    {
        var isRight = address is null || IPAddress.TryParse(address, out _) || IPNetwork.TryParse(address, out _);
        problem = isRight ? null : AdminResults.Wrong("address", "This is no IP address.");
        return isRight;
    }
}
