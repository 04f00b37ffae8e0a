using System.ComponentModel.DataAnnotations;
using KerberosMessaging.AuthServer.Admin.Lists;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Admin;

/// <summary>A one-time token that was just made.</summary>
/// <param name="Id" example="9a4d2c71-3f58-4e06-bb1d-70c5e8f6a213">What to call it by afterwards; it opens nothing.</param>
/// <param name="Token" example="kmsg_EXAMPLE_EXAMPLE_EXAMPLE_EXAMPLE_EXAMPLE_EXA">The token, shown only in this reply.</param>
/// <param name="ExpiresAt" example="2026-05-05T08:00:00Z">Until when it can be used.</param>
internal sealed record NewTokenView(Guid Id, string Token, DateTimeOffset ExpiresAt)
{
    public static Created<NewTokenView> Created(NewToken made) =>
        TypedResults.Created((string?)null, new NewTokenView(made.Id, made.Token, made.ExpiresAt));

    public static Results<Created<NewTokenView>, NotFound, ProblemHttpResult> Created((AdminChange Change, NewToken? Token) made) => made switch
    {
        { Token: { } token } => Created(token),
        { Change: AdminChange.Stale } => AdminResults.Stale(),
        _ => TypedResults.NotFound(),
    };

    /// <summary>The id alone.</summary>
    public override string ToString() => $"one-time token {Id}";
}

/// <summary>A one-time token as it is remembered: by what it is for, not by what opens.</summary>
/// <param name="Id" example="9a4d2c71-3f58-4e06-bb1d-70c5e8f6a213">Its id; it opens nothing.</param>
/// <param name="Purpose" example="invite">What it is for.</param>
/// <param name="CreatedAt" example="2026-05-04T08:00:00Z">When it was made.</param>
/// <param name="ExpiresAt" example="2026-05-05T08:00:00Z">Until when it can be used.</param>
/// <param name="UsedAt" example="2026-05-04T09:30:00Z">When it was used; null while it was not.</param>
/// <param name="RevokedAt" example="2026-05-04T10:00:00Z">When it was revoked; null while it was not.</param>
/// <param name="Name" example="carol">The one name that an invite is for, in the form that names are compared in; null for any.</param>
/// <param name="ClientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client whose password it resets, or that registered with it.</param>
/// <param name="ServerId" example="7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97">The message server that it enrols anew, or that enrolled with it.</param>
internal sealed record TokenView(
    Guid Id,
    TokenPurpose Purpose,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? UsedAt,
    DateTimeOffset? RevokedAt,
    string? Name,
    Guid? ClientId,
    Guid? ServerId)
{
    public static TokenView Of(OneTimeTokenRow row) => new(
        row.Id,
        row.Purpose,
        row.CreatedAt,
        row.ExpiresAt,
        row.UsedAt,
        row.RevokedAt,
        row.NameKey,
        row.ClientId,
        row.ServerId);
}

// Public, since the framework validates public types alone.
/// <summary>An invite to make.</summary>
/// <param name="Name" example="carol">The one name that it registers; left out for any.</param>
/// <param name="Hours" example="48">For how many hours it is good, at most 90 days; left out for the server's own setting, a week.</param>
public sealed record NewInvite(string? Name, [Range(1, 90 * 24)] int? Hours);

internal static class TokenEndpoints
{
    private static readonly SortOrders<OneTimeTokenRow> Orders = new(
        "OneTimeTokens",
        static row => row.Id,
        new SortColumn<OneTimeTokenRow>("createdAt", "CreatedAt", "IX_OneTimeTokens_CreatedAt_Id", static row => row.CreatedAt));

    public static void Map(RouteGroupBuilder admin)
    {
        var tokens = admin.MapGroup("").WithTags("One-time tokens");
        tokens.MapPost("/invites", CreateInviteAsync).RequireScope(AdminScope.ClientsWrite);
        tokens.MapGet("/one-time-tokens", ListAsync).RequireScope(AdminScope.ClientsRead);
        tokens.MapGet("/one-time-tokens/{id:guid}", GetAsync).RequireScope(AdminScope.ClientsRead);
        tokens.MapDelete("/one-time-tokens/{id:guid}", RevokeAsync).RequireScope(AdminScope.ClientsWrite)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    /// <summary>Makes an invite</summary>
    /// <remarks>
    /// Whoever has it registers one client with it, unless registration is closed. It is shown only in this reply.
    /// </remarks>
    /// <param name="invite">For whom, and for how long; may be left out.</param>
    /// <param name="tokens">The one-time tokens.</param>
    /// <param name="options">The realm's settings.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Created<NewTokenView>, ValidationProblem>> CreateInviteAsync(
        NewInvite? invite, OneTimeTokens tokens, IOptions<AuthOptions> options, HttpContext context, CancellationToken cancellationToken)
    {
        string? nameKey = null;
        if (invite?.Name is { } text)
        {
            if (!ClientName.TryParse(text, out var name))
            {
                return AdminResults.Wrong("name", "No client can have this name.");
            }

            nameKey = name.Key;
        }

        var life = invite?.Hours is { } hours ? TimeSpan.FromHours(hours) : options.Value.InviteLife;
        return NewTokenView.Created(await tokens.MakeInviteAsync(nameKey, life, context.ToOrigin(), cancellationToken));
    }

    /// <summary>Lists the one-time tokens</summary>
    /// <remarks>
    /// A page at a time, oldest first unless asked otherwise: invites, password resets and enrolments, used and expired ones for a
    /// while too. No list shows a token itself: only its hash is kept.
    /// </remarks>
    /// <param name="page">Which page.</param>
    /// <param name="sort">By what: createdAt; with `-` before it the other way round.</param>
    /// <param name="client">Only tokens that reset this client's password, or that it registered with.</param>
    /// <param name="database">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <param name="usable">Only tokens that are neither used, revoked nor expired.</param>
    private static async Task<Results<Ok<Page<TokenView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page,
        string? sort,
        Guid? client,
        AuthDbContext database,
        TimeProvider time,
        CancellationToken cancellationToken,
        bool usable = false)
    {
        if (!Orders.TryRead(page, sort, out var list, out var problem))
        {
            return problem;
        }

        if (client is { } wanted)
        {
            list.Query.Where("\"ClientId\" = @", wanted);
        }

        if (usable)
        {
            list.Query.Where("\"UsedAt\" IS NULL AND \"RevokedAt\" IS NULL AND \"ExpiresAt\" > @", time.GetUtcNow());
        }

        return TypedResults.Ok(list.Show(await list.ReadAsync(database, cancellationToken), TokenView.Of));
    }

    /// <summary>Shows a one-time token</summary>
    /// <remarks>By what it is for and what became of it; the token itself is kept nowhere.</remarks>
    /// <param name="id" example="9a4d2c71-3f58-4e06-bb1d-70c5e8f6a213">The token's id.</param>
    /// <param name="database">The database.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<TokenView>, NotFound>> GetAsync(
        Guid id, AuthDbContext database, HttpContext context, CancellationToken cancellationToken)
    {
        if (await database.OneTimeTokens.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } token)
        {
            return TypedResults.NotFound();
        }

        token.Tag().SendWith(context.Response);
        return TypedResults.Ok(TokenView.Of(token));
    }

    /// <summary>Revokes a one-time token</summary>
    /// <remarks>One that was used is refused with 409: what it made is to be undone where it is, for example by disabling the client.</remarks>
    /// <param name="id" example="9a4d2c71-3f58-4e06-bb1d-70c5e8f6a213">The token's id.</param>
    /// <param name="ifMatch">The `ETag` of the token as it was read: if it was changed since, nothing is done.</param>
    /// <param name="tokens">The one-time tokens.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> RevokeAsync(
        Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        OneTimeTokens tokens,
        HttpContext context,
        CancellationToken cancellationToken)
    {
        var (change, wasUsed) = await tokens.RevokeAsync(id, Precondition.Parse(ifMatch), context.ToOrigin(), cancellationToken);
        return change == AdminChange.Done && wasUsed
            ? AdminResults.Conflict("The token was used already.")
            : AdminResults.Changed(change);
    }
}
