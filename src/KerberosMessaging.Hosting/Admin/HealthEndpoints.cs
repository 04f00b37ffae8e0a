using KerberosMessaging.Hosting.Health;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>What a supervisor asks: does the process run, may it be given work, and should somebody look after it.</summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup("/health").AllowAnonymous().WithTags("Health");
        health.MapGet("/live", Live);
        health.MapGet("/ready", ReadyAsync).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        health.MapGet("", ReadAsync).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>Tells that the process runs.</summary>
    /// <remarks>Looks at nothing else: restarting the server would not mend what it depends on.</remarks>
    private static Ok<HealthReply> Live() => TypedResults.Ok(new HealthReply("live"));

    /// <summary>Tells whether the server can take work.</summary>
    /// <remarks>Answers 503 with the reason while the server starts, waits for something, or shuts down, or its database takes no writes.</remarks>
    private static async Task<Results<Ok<HealthReply>, ProblemHttpResult>> ReadyAsync(
        ReadinessState readiness, HealthReports reports, IOptions<HealthCheckServiceOptions> checks, CancellationToken cancellationToken)
    {
        // Asked before the checks: those may need what is still starting, and each failure of theirs is logged as an error.
        var reason = readiness.Reason ?? Describe(await reports.LookAsync(cancellationToken), checks.Value);
        return reason is null
            ? TypedResults.Ok(new HealthReply("ready"))
            : TypedResults.Problem(reason, statusCode: StatusCodes.Status503ServiceUnavailable, title: "Not ready");
    }

    /// <summary>Tells how the server is, check by check.</summary>
    /// <remarks>
    /// Answers 200 when it is healthy or degraded, and 503 with the same checks when it is unhealthy. Anybody may ask, so it tells no more than what
    /// is wrong; the figures are in /metrics. An answer is given for some seconds without looking anew.
    /// </remarks>
    private static async Task<Results<Ok<HealthView>, ProblemHttpResult>> ReadAsync(HealthReports reports, CancellationToken cancellationToken)
    {
        var report = await reports.LookAsync(cancellationToken);
        var checks = report.Entries
            .OrderBy(static entry => entry.Key, StringComparer.Ordinal)
            .Select(static entry => new HealthCheckView(entry.Key, Name(entry.Value.Status), Describe(entry)))
            .ToArray();
        if (report.Status != HealthStatus.Unhealthy)
        {
            return TypedResults.Ok(new HealthView(Name(report.Status), checks));
        }

        var failed = report.Entries.Where(static entry => entry.Value.Status == HealthStatus.Unhealthy).Select(Describe);
        return TypedResults.Problem(
            string.Join(' ', failed),
            statusCode: StatusCodes.Status503ServiceUnavailable,
            title: "Unhealthy",
            extensions: new Dictionary<string, object?> { ["checks"] = checks });
    }

    private static string? Describe(HealthReport report, HealthCheckServiceOptions checks)
    {
        // What a server makes no promise about: checks that are for people, such as a disk that gets full, take no server out of service.
        var wanted = checks.Registrations
            .Where(static check => check.Tags.Contains(HealthServices.ReadyTag))
            .Select(static check => check.Name)
            .ToHashSet(StringComparer.Ordinal);
        var failed = report.Entries
            .Where(entry => wanted.Contains(entry.Key) && entry.Value.Status == HealthStatus.Unhealthy)
            .Select(Describe)
            .ToArray();
        return failed.Length == 0 ? null : string.Join(' ', failed);
    }

    // The description of a check that threw is its exception's text.
    private static string Describe(KeyValuePair<string, HealthReportEntry> entry) =>
        entry.Value is { Exception: null, Description: { } description } ? description : $"The check '{entry.Key}' failed.";

    private static string Name(HealthStatus status) => status switch
    {
        HealthStatus.Healthy => "healthy",
        HealthStatus.Degraded => "degraded",
        _ => "unhealthy",
    };
}
