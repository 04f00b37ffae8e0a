using System.Text.Json;
using System.Text.RegularExpressions;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// Turns every error without a body into problem details.
/// </summary>
internal static partial class AdminProblems
{
    private const string Body = "body";

    private static readonly string[] Required = ["A value is required."];
    private static readonly string[] Invalid = ["The value is not valid."];
    private static readonly string[] InvalidBody = ["The body is not the JSON this operation reads."];

    public static Task WriteForStatusAsync(StatusCodeContext context)
    {
        var status = context.HttpContext.Response.StatusCode;
        var detail = status switch
        {
            StatusCodes.Status401Unauthorized => "This operation needs an admin token, sent as 'Authorization: Bearer <token>'.",
            StatusCodes.Status403Forbidden => $"The token lacks the scope {string.Join(' ', ScopePolicies.Missing(context.HttpContext))}.",
            _ => null,
        };
        return TypedResults.Problem(detail, statusCode: status).ExecuteAsync(context.HttpContext);
    }

    public static Task WriteForExceptionAsync(HttpContext context) =>
        context.Features.Get<IExceptionHandlerFeature>()?.Error is BadHttpRequestException bad
            ? WriteForBadRequestAsync(context, bad)
            : TypedResults.Problem(
                "The server failed to handle the request; its log says more.",
                statusCode: StatusCodes.Status500InternalServerError).ExecuteAsync(context);

    private static Task WriteForBadRequestAsync(HttpContext context, BadHttpRequestException bad) =>
        bad.StatusCode == StatusCodes.Status400BadRequest && FindErrors(bad) is { Count: > 0 } errors
            ? TypedResults.ValidationProblem(errors).ExecuteAsync(context)
            : TypedResults.Problem(statusCode: bad.StatusCode).ExecuteAsync(context);

    // The framework tells the wrong field only inside its messages, so the names are taken out of them; the rest of the
    // text (type names, the value) stays here. If a message changes its form, the answer is a 400 that names nothing.
    private static Dictionary<string, string[]> FindErrors(BadHttpRequestException bad)
    {
        if (bad.InnerException is JsonException json)
        {
            var missing = MissingProperties().Match(json.Message);
            if (missing.Success)
            {
                return QuotedName().Matches(missing.Groups["names"].Value)
                    .ToDictionary(static name => name.Groups[1].Value, static _ => Required);
            }

            // "$" is the document itself, "$.expiry.days" a value inside it.
            var path = json.Path is { Length: > 2 } inside ? inside[2..] : Body;
            return new() { [path] = path == Body ? InvalidBody : Invalid };
        }

        if (MissingBody().IsMatch(bad.Message))
        {
            return new() { [Body] = Required };
        }

        var parameter = Parameter().Match(bad.Message);
        return parameter.Success
            ? new()
            {
                [JsonNamingPolicy.CamelCase.ConvertName(parameter.Groups["name"].Value)] =
                    parameter.Groups["missing"].Success ? Required : Invalid,
            }
            : [];
    }

    [GeneratedRegex(@"^((?<missing>Required)|Failed to bind) parameter ""([^""]* )?(?<name>\w+)""", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Parameter();

    [GeneratedRegex("^Implicit body inferred|was not provided from body", RegexOptions.CultureInvariant)]
    private static partial Regex MissingBody();

    [GeneratedRegex("missing required properties including: (?<names>.*)$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex MissingProperties();

    [GeneratedRegex("'([^']+)'", RegexOptions.CultureInvariant)]
    private static partial Regex QuotedName();
}
