using System.Globalization;
using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Telemetry;
using KerberosMessaging.Hosting.Wire.Limits;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>Authenticates a request by the admin token in its <c>Authorization</c> header (RFC 6750).</summary>
internal sealed partial class AdminTokenHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggerFactory,
    UrlEncoder encoder,
    AdminTokens tokens,
    FailedAuthentications failures,
    IAuditWriter audit)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggerFactory, encoder)
{
    private const string SchemePrefix = AdminApi.Scheme + " ";
    private const string Target = "admin API";

    private TimeSpan? _retryAfter;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization;
        if (header.Count != 1 || header[0] is not { } value || !value.StartsWith(SchemePrefix, StringComparison.OrdinalIgnoreCase))
        {
            return AuthenticateResult.NoResult();
        }

        // By the hash: where it differs tells nothing of the token.
        var presented = value.AsSpan(SchemePrefix.Length).Trim(' ');
        var token = presented.Length <= AdminToken.MaxLength ? tokens.Find(AdminToken.HashOf(presented)) : null;
        var block = AddressBlock.OfAddress(Context.Connection.RemoteIpAddress ?? IPAddress.None);
        if (!failures.MayTry(block, out var isFirst, out var retryAfter) && !(token is not null && failures.IsKnown(block, token.Row.Id)))
        {
            if (isFirst)
            {
                await AuditAsync(AuditKind.AdminAuthenticationBlocked, "too many wrong tokens");
            }

            _retryAfter = retryAfter;
            return AuthenticateResult.Fail("Too many wrong admin tokens came from this address.");
        }

        if (token is null || !tokens.IsLiving(token))
        {
            Log.WrongToken(Logger);
            failures.Count(block);
            Context.RequestServices.GetService<AdminMetrics>()?.AuthenticationFailed();
            await AuditAsync(
                AuditKind.AdminAuthenticationFailed,
                token is null ? "unknown token" : $"admin token {token.Row.Id} is {(token.Row.RevokedAt is null ? "expired" : "revoked")}");
            return AuthenticateResult.Fail("The admin token is wrong.");
        }

        failures.Remember(block, token.Row.Id);
        tokens.Use(token);
        var identity = new ClaimsIdentity(
            [
                new Claim(ClaimTypes.NameIdentifier, token.Row.Id.ToString()),
                new Claim(ClaimTypes.Name, token.Row.Name),
                .. token.Scopes.Select(static scope => new Claim(ScopePolicies.ClaimType, AdminScopes.NameOf(scope))),
            ],
            Scheme.Name);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var failed = (await HandleAuthenticateOnceSafeAsync()).Failure is not null;
        if (_retryAfter is { } wait)
        {
            Response.StatusCode = StatusCodes.Status429TooManyRequests;
            Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return;
        }

        // The error is named only to a client that tried, as RFC 6750 section 3.1 wants.
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.Append(
            HeaderNames.WWWAuthenticate,
            failed ? "Bearer realm=\"admin\", error=\"invalid_token\"" : "Bearer realm=\"admin\"");
    }

    private Task AuditAsync(AuditKind kind, string detail)
    {
        var origin = Context.ToOrigin();
        return audit.WriteAsync(
            new AuditEvent(kind, Origin.Anonymous(origin.Address, origin.Correlation), Target, detail, AuditResult.Refused), CancellationToken.None);
    }

    private static partial class Log
    {
        [LoggerMessage(9001, LogLevel.Information, "A request came with a wrong admin token.")]
        public static partial void WrongToken(ILogger logger);
    }
}
