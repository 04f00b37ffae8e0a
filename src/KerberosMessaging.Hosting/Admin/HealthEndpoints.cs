using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>What a supervisor asks: does the process run, and may it be given work.</summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup("/health").AllowAnonymous().WithTags("Health");
        health.MapGet("/live", Live);
        health.MapGet("/ready", ReadyAsync).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>Tells that the process runs.</summary>
    /// <remarks>Looks at nothing else: restarting the server would not mend what it depends on.</remarks>
    private static Ok<HealthReply> Live() => TypedResults.Ok(new HealthReply("live"));

    /// <summary>Tells whether the server can take work.</summary>
    /// <remarks>Answers 503 with the reason while the server starts, waits for something, or shuts down.</remarks>
    private static async Task<Results<Ok<HealthReply>, ProblemHttpResult>> ReadyAsync(
        ReadinessState readiness, HealthCheckService checks, CancellationToken cancellationToken)
    {
        // Asked before the checks: those may need what is still starting, and each failure of theirs is logged as an error.
        var reason = readiness.Reason ?? Describe(await checks.CheckHealthAsync(cancellationToken));
        return reason is null
            ? TypedResults.Ok(new HealthReply("ready"))
            : TypedResults.Problem(reason, statusCode: StatusCodes.Status503ServiceUnavailable, title: "Not ready");
    }

    private static string? Describe(HealthReport report) =>
        report.Status == HealthStatus.Unhealthy
            ? string.Join(' ', report.Entries.Where(static entry => entry.Value.Status == HealthStatus.Unhealthy).Select(Describe))
            : null;

    // The description of a check that threw is its exception's text.
    private static string Describe(KeyValuePair<string, HealthReportEntry> entry) =>
        entry.Value is { Exception: null, Description: { } description } ? description : $"The check '{entry.Key}' failed.";
}
