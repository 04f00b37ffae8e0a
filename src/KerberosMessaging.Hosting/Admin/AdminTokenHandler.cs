using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>Authenticates a request by the admin token in its <c>Authorization</c> header (RFC 6750).</summary>
internal sealed partial class AdminTokenHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggerFactory,
    UrlEncoder encoder,
    AdminToken token)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggerFactory, encoder)
{
    private const string SchemePrefix = AdminApi.Scheme + " ";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Authenticate());

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // The error is named only to a client that tried, as RFC 6750 section 3.1 wants.
        var failed = (await HandleAuthenticateOnceSafeAsync()).Failure is not null;
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.Append(
            HeaderNames.WWWAuthenticate,
            failed ? "Bearer realm=\"admin\", error=\"invalid_token\"" : "Bearer realm=\"admin\"");
    }

    private AuthenticateResult Authenticate()
    {
        var header = Request.Headers.Authorization;
        if (header.Count != 1 || header[0] is not { } value || !value.StartsWith(SchemePrefix, StringComparison.OrdinalIgnoreCase))
        {
            return AuthenticateResult.NoResult();
        }

        if (!token.Matches(value.AsSpan(SchemePrefix.Length).Trim(' ')))
        {
            Log.WrongToken(Logger, Context.Connection.RemoteIpAddress);
            return AuthenticateResult.Fail("The admin token is wrong.");
        }

        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, "admin"), .. AdminScopes.All.Select(static scope => new Claim(ScopePolicies.ClaimType, AdminScopes.NameOf(scope)))], Scheme.Name);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));
    }

    private static partial class Log
    {
        [LoggerMessage(9001, LogLevel.Information, "A request from {RemoteAddress} came with a wrong admin token.")]
        public static partial void WrongToken(ILogger logger, IPAddress? remoteAddress);
    }
}
