using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace KerberosMessaging.Hosting.Admin.Access;

/// <summary>Decides by the scopes of a token.</summary>
internal static class ScopePolicies
{
    /// <summary>The claim that holds the name of a scope, one for each.</summary>
    public const string ClaimType = "scope";

    public static void Add(AuthorizationBuilder authorization)
    {
        foreach (var name in AdminScopes.All.Select(AdminScopes.NameOf))
        {
            authorization.AddPolicy(
                RequiredScope.PolicyPrefix + name,
                policy => policy.AddAuthenticationSchemes(AdminApi.Scheme).RequireAuthenticatedUser().RequireClaim(ClaimType, name));
        }

        authorization.SetDefaultPolicy(new AuthorizationPolicyBuilder(AdminApi.Scheme).RequireAuthenticatedUser().Build());

        // What says nothing about authorisation is closed to everybody: forgetting must not open it. A path or a method that
        // does not exist is told to those who have a token.
        authorization.SetFallbackPolicy(new AuthorizationPolicyBuilder(AdminApi.Scheme)
            .RequireAuthenticatedUser()
            .RequireAssertion(static context => (context.Resource as HttpContext)?.GetEndpoint() is not RouteEndpoint)
            .Build());
    }

    /// <summary>The names of the scopes that an operation needs and the user lacks.</summary>
    public static IReadOnlyList<string> Missing(HttpContext context) =>
    [
        .. (context.GetEndpoint()?.Metadata.GetOrderedMetadata<RequiredScope>() ?? [])
            .Where(static required => required.Scope is not null)
            .Select(static required => AdminScopes.NameOf(required.Scope!.Value))
            .Where(name => !context.User.HasClaim(ClaimType, name)),
    ];

    /// <summary>The scopes of a user.</summary>
    public static IEnumerable<AdminScope> Of(ClaimsPrincipal user) => user.FindAll(ClaimType)
        .Select(static claim => AdminScopes.TryParse(claim.Value, out var scope) ? scope : (AdminScope?)null)
        .OfType<AdminScope>();
}
