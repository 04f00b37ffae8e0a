using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;

namespace KerberosMessaging.Hosting.Admin.Access;

/// <summary>The scope that an operation needs, as its metadata says.</summary>
/// <param name="Scope">The scope; null where every token will do.</param>
internal sealed record RequiredScope(AdminScope? Scope) : IAuthorizeData
{
    public const string PolicyPrefix = "scope ";

    public string? Policy
    {
        get => Scope is { } scope ? PolicyPrefix + AdminScopes.NameOf(scope) : null;
        set => throw new NotSupportedException();
    }

    public string? Roles { get; set; }

    public string? AuthenticationSchemes { get; set; }
}

/// <summary>Says on an operation who may call it.</summary>
public static class RequiredScopeExtensions
{
    /// <summary>
    /// Lets only tokens with this scope call the operation. An operation that says nothing is closed to every token.
    /// </summary>
    /// <typeparam name="TBuilder">What builds it.</typeparam>
    /// <param name="builder">An operation, or a group of them.</param>
    /// <param name="scope">The scope.</param>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, AdminScope scope)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RequiredScope(scope));

    /// <summary>Lets every token call the operation.</summary>
    /// <typeparam name="TBuilder">What builds it.</typeparam>
    /// <param name="builder">An operation, or a group of them.</param>
    public static TBuilder RequireAnyToken<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RequiredScope(Scope: null));
}
