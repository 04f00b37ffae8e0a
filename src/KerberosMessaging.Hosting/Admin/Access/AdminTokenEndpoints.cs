using System.Security.Claims;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace KerberosMessaging.Hosting.Admin.Access;

/// <summary>Lets admins see, make and revoke the tokens that open the admin API.</summary>
public static partial class AdminTokenEndpoints
{
    /// <summary>Adds the operations to a server's admin API.</summary>
    /// <param name="admin">The protected group.</param>
    public static void MapAdminTokens(this RouteGroupBuilder admin)
    {
        var tokens = admin.MapGroup("/tokens").WithTags("Admin tokens");
        tokens.MapGet("/self", ShowSelf).RequireAnyToken();
        tokens.MapGet("", List).RequireScope(AdminScope.TokensManage);
        tokens.MapGet("/{id:guid}", Get).RequireScope(AdminScope.TokensManage);
        tokens.MapPost("", MakeAsync).RequireScope(AdminScope.TokensManage).ProducesProblem(StatusCodes.Status409Conflict);
        tokens.MapDelete("/{id:guid}", RevokeAsync).RequireScope(AdminScope.TokensManage).ProducesProblem(StatusCodes.Status409Conflict);
    }

    /// <summary>Shows the token that asks</summary>
    /// <remarks>Every token may: it tells what else it may do.</remarks>
    private static Results<Ok<AdminTokenView>, NotFound> ShowSelf(AdminTokens tokens, HttpContext context) =>
        Guid.TryParse(context.User.FindFirstValue(ClaimTypes.NameIdentifier), out var id) && tokens.Find(id) is { } token
            ? TypedResults.Ok(token.View())
            : TypedResults.NotFound();

    /// <summary>Lists the admin tokens</summary>
    /// <remarks>Oldest first, a page at a time, revoked and expired ones too. No list shows a token itself: only its hash is kept.</remarks>
    private static Results<Ok<Page<AdminTokenView>>, ValidationProblem> List([AsParameters] PageRequest page, AdminTokens tokens)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        var start = after ?? PagePosition.Start;
        var rows = tokens.All()
            .Where(token => (token.Row.CreatedAt.ToUnixTimeMilliseconds(), token.Row.Id).CompareTo((start.CreatedAtMs, start.Id)) > 0)
            .Take(limit + 1)
            .ToArray();
        return TypedResults.Ok(rows.ToPage(
            limit, static token => token.View(), static token => PageCursor.Encode(token.Row.CreatedAt.ToUnixTimeMilliseconds(), token.Row.Id)));
    }

    /// <summary>Shows an admin token</summary>
    /// <param name="id" example="3c9f5d18-6a02-4b7e-8d41-e5a0b7c6f923">The token's id.</param>
    /// <param name="tokens">The admin tokens.</param>
    /// <param name="context">The request.</param>
    private static Results<Ok<AdminTokenView>, NotFound> Get(Guid id, AdminTokens tokens, HttpContext context)
    {
        if (tokens.Find(id) is not { } token)
        {
            return TypedResults.NotFound();
        }

        token.Tag().SendWith(context.Response);
        return TypedResults.Ok(token.View());
    }

    /// <summary>Makes an admin token</summary>
    /// <remarks>
    /// With a role (viewer, operator or admin) or with scopes of its own, and none that the asking token does not have itself. It is
    /// shown only in this reply.
    /// </remarks>
    /// <param name="wanted">What it is to be.</param>
    /// <param name="tokens">The admin tokens.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Created<NewAdminTokenView>, ValidationProblem, ProblemHttpResult>> MakeAsync(
        NewAdminToken wanted, AdminTokens tokens, HttpContext context, CancellationToken cancellationToken)
    {
        if (Check(wanted) is { } problem)
        {
            return problem;
        }

        IReadOnlyCollection<AdminScope> scopes = wanted.Role is { } role ? AdminScopes.Of(role) : wanted.Scopes!;
        var held = ScopePolicies.Of(context.User).ToHashSet();
        if (scopes.FirstOrDefault(scope => !held.Contains(scope), (AdminScope)(-1)) is >= 0 and var missing)
        {
            return AdminResults.Problem(
                StatusCodes.Status403Forbidden,
                ProblemCodes.Forbidden,
                $"A token makes none that may do more: it lacks the scope {AdminScopes.NameOf(missing)} itself.");
        }

        TimeSpan? life = wanted.Hours is { } hours ? TimeSpan.FromHours(hours) : null;
        return await tokens.MakeAsync(wanted.Name, wanted.Role, scopes, life, context.ToOrigin(), cancellationToken) is var (made, token)
            ? TypedResults.Created(
                $"{AdminApi.BasePath}/tokens/{made.Row.Id}", new NewAdminTokenView(made.Row.Id, made.Row.Name, token, made.Row.ExpiresAt))
            : AdminResults.Conflict(ProblemCodes.NameTaken, "Another good token has this name.");
    }

    /// <summary>Revokes an admin token</summary>
    /// <remarks>
    /// From then on it opens nothing, also after a restart. The last good token of the role admin is refused with 409, and one that may
    /// do more than the asking token with 403.
    /// </remarks>
    /// <param name="id" example="3c9f5d18-6a02-4b7e-8d41-e5a0b7c6f923">The token's id.</param>
    /// <param name="ifMatch">Revokes it only in this state.</param>
    /// <param name="tokens">The admin tokens.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> RevokeAsync(
        Guid id, [FromHeader(Name = "If-Match")] string? ifMatch, AdminTokens tokens, HttpContext context, CancellationToken cancellationToken)
    {
        var held = ScopePolicies.Of(context.User).ToHashSet();
        return await tokens.RevokeAsync(id, Precondition.Parse(ifMatch), held, context.ToOrigin(), cancellationToken) switch
        {
            TokenRevocation.Done => TypedResults.NoContent(),
            TokenRevocation.Unknown => TypedResults.NotFound(),
            TokenRevocation.Stale => AdminResults.Stale(),
            TokenRevocation.Stronger => AdminResults.Problem(
                StatusCodes.Status403Forbidden, ProblemCodes.Forbidden, "The token may do more than the one that asks."),
            _ => AdminResults.Conflict(
                ProblemCodes.LastAdminToken, "It is the last good token of the role admin: make another before this one is revoked."),
        };
    }

    // Validation is generated for the servers' own endpoints alone.
    private static ValidationProblem? Check(NewAdminToken wanted) => wanted switch
    {
        { Name: AdminTokens.FirstName or AdminTokens.FileName } =>
            AdminResults.Wrong("name", "This name is kept for the token that the server's files name."),
        { Name: var name } when !Name().IsMatch(name) =>
            AdminResults.Wrong("name", "A letter or digit, then up to 63 more of them, dots, hyphens or underscores."),
        { Role: null, Scopes: null or { Count: 0 } } or { Role: not null, Scopes: not null } =>
            AdminResults.Wrong("role", "Say what it may do: a role, or else at least one scope."),
        { Hours: < 1 or > NewAdminToken.MaxHours } => AdminResults.Wrong("hours", $"Between 1 and {NewAdminToken.MaxHours}."),
        _ => null,
    };

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
