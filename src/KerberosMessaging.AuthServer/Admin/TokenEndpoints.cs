using System.ComponentModel.DataAnnotations;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Http.HttpResults;
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
    Guid? ServerId);

// Public, since the framework validates public types alone.
/// <summary>An invite to make.</summary>
/// <param name="Name" example="carol">The one name that it registers; left out for any.</param>
/// <param name="Hours" example="48">For how many hours it is good, at most 90 days; left out for the server's own setting, a week.</param>
public sealed record NewInvite(string? Name, [Range(1, 90 * 24)] int? Hours);

internal static class TokenEndpoints
{
    public static void Map(RouteGroupBuilder admin)
    {
        var tokens = admin.MapGroup("").WithTags("One-time tokens");
        tokens.MapPost("/invites", CreateInviteAsync).RequireScope(AdminScope.ClientsWrite);
        tokens.MapGet("/one-time-tokens", ListAsync).RequireScope(AdminScope.ClientsRead);
        tokens.MapDelete("/one-time-tokens/{id:guid}", RevokeAsync).RequireScope(AdminScope.ClientsWrite).ProducesProblem(StatusCodes.Status409Conflict);
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
    /// Oldest first, a page at a time: invites, password resets and enrolments, used and expired ones for a while too. No list
    /// shows a token itself: only its hash is kept.
    /// </remarks>
    private static async Task<Results<Ok<Page<TokenView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page, AuthDbContext database, CancellationToken cancellationToken)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        // EF Core cannot compare identifiers; SQLite and PostgreSQL both have row values.
        var (createdAt, id) = after ?? PagePosition.Start;
        var rows = await database.OneTimeTokens
            .FromSql($"""SELECT * FROM "OneTimeTokens" WHERE ("CreatedAt", "Id") > ({createdAt}, {id.ToByteArray(true)})""")
            .AsNoTracking()
            .OrderBy(static row => row.CreatedAt).ThenBy(static row => row.Id)
            .Take(limit + 1)
            .ToListAsync(cancellationToken);
        return TypedResults.Ok(rows.ToPage(
            limit,
            static row => new TokenView(
                row.Id,
                row.Purpose,
                row.CreatedAt,
                row.ExpiresAt,
                row.UsedAt,
                row.RevokedAt,
                row.NameKey,
                row.ClientId,
                row.ServerId),
            static row => PageCursor.Encode(row.CreatedAt.ToUnixTimeMilliseconds(), row.Id)));
    }

    /// <summary>Revokes a one-time token</summary>
    /// <remarks>One that was used is refused with 409: what it made is to be undone where it is, for example by disabling the client.</remarks>
    /// <param name="id" example="9a4d2c71-3f58-4e06-bb1d-70c5e8f6a213">The token's id.</param>
    /// <param name="tokens">The one-time tokens.</param>
    /// <param name="database">The database.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> RevokeAsync(
        Guid id, OneTimeTokens tokens, AuthDbContext database, HttpContext context, CancellationToken cancellationToken)
    {
        if (await tokens.RevokeAsync(id, context.ToOrigin(), cancellationToken))
        {
            return TypedResults.NoContent();
        }

        return await database.OneTimeTokens.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) switch
        {
            null => TypedResults.NotFound(),
            { RevokedAt: not null } => TypedResults.NoContent(),
            _ => AdminResults.Conflict("The token was used already."),
        };
    }
}
