using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// Writes problem details whatever the request accepts; the framework's writer leaves a browser with plain text. It comes
/// before that one, so it writes all of them.
/// </summary>
internal sealed class AdminProblemWriter : IProblemDetailsWriter
{
    public bool CanWrite(ProblemDetailsContext context) => true;

    public ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var (http, problem) = (context.HttpContext, context.ProblemDetails);
        problem.Status ??= http.Response.StatusCode;
        problem.Title ??= ReasonPhrases.GetReasonPhrase(problem.Status.Value);
        problem.Extensions.TryAdd("code", ProblemCodes.Of(problem.Status.Value));
        problem.Extensions.TryAdd("traceId", Activity.Current?.Id ?? http.TraceIdentifier);
        if (problem is HttpValidationProblemDetails validation)
        {
            // The framework's validation names members as C# does.
            validation.Errors = validation.Errors.ToDictionary(static error => InCamelCase(error.Key), static error => error.Value);
        }

        return new ValueTask(http.Response.WriteAsJsonAsync(
            problem, problem.GetType(), options: null, "application/problem+json", http.RequestAborted));
    }

    private static string InCamelCase(string path) =>
        string.Join('.', path.Split('.').Select(JsonNamingPolicy.CamelCase.ConvertName));
}
