using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>How to drain.</summary>
/// <param name="RetryAfterSeconds" example="30">After how many seconds clients are told to come back; each is told up to twice as many. As configured when missing.</param>
/// <param name="GraceSeconds" example="5">How many seconds connections may finish what is in flight. As configured when missing.</param>
/// <param name="Stop" example="false">Whether the process stops when it is drained.</param>
internal sealed record DrainRequest(
    [property: Range(1, 3600)] int? RetryAfterSeconds = null, [property: Range(0, 300)] int? GraceSeconds = null, bool Stop = false);

/// <summary>How far a drain is.</summary>
/// <param name="State" example="draining">Serving, draining, drained (nobody is connected), or stopping.</param>
/// <param name="Connections" example="17">How many connections are open.</param>
internal sealed record DrainView(DrainState State, int Connections);

/// <summary>Lets an admin empty a server of connections before it is stopped.</summary>
public static class DrainEndpoints
{
    private const string Target = "server";

    /// <summary>Adds the operations to a server's admin API.</summary>
    /// <param name="admin">The protected group.</param>
    public static void MapDrain(this RouteGroupBuilder admin)
    {
        var drain = admin.MapGroup("/drain").WithTags("Drain").RequireScope(AdminScope.Ops);
        drain.MapGet("", Show);
        drain.MapPost("", StartAsync);
        drain.MapDelete("", UndoAsync).ProducesProblem(StatusCodes.Status409Conflict);
    }

    /// <summary>Tells whether the server drains</summary>
    private static Ok<DrainView> Show(DrainService drain) => TypedResults.Ok(View(drain));

    /// <summary>Drains the server</summary>
    /// <remarks>
    /// Readiness turns off at once, new connections are turned away, and each open one is closed as soon as what it asked is answered, or when the grace is
    /// over; clients are told when to come back. The process stays up, drained, unless it is told to stop: what stops it otherwise, or undoes the drain, is up to you.
    /// </remarks>
    /// <param name="request">How; may be left out.</param>
    /// <param name="drain">What drains.</param>
    /// <param name="audit">The audit log.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Accepted<DrainView>, ValidationProblem>> StartAsync(
        DrainRequest? request, DrainService drain, IAuditWriter audit, HttpContext context, CancellationToken cancellationToken)
    {
        if (request is not null && Check(request) is { Count: > 0 } errors)
        {
            return TypedResults.ValidationProblem(errors);
        }

        // Before it begins: a drain that stops the server leaves no time for it.
        var grace = Seconds(request?.GraceSeconds) ?? drain.DefaultGrace;
        await audit.WriteAsync(
            new AuditEvent(AuditKind.Drained, context.ToOrigin(), Target, request?.Stop == true ? "and stops" : ""), cancellationToken);
        drain.Start(Seconds(request?.RetryAfterSeconds) ?? drain.DefaultRetryAfter, grace);
        if (request?.Stop == true)
        {
            _ = drain.StopWhenDrainedAsync(grace);
        }

        return TypedResults.Accepted((string?)null, View(drain));
    }

    /// <summary>Undoes a drain</summary>
    /// <remarks>The server takes connections again; those that were told to come back later do so. A process that stops already is a 409.</remarks>
    private static async Task<Results<Ok<DrainView>, ProblemHttpResult>> UndoAsync(
        DrainService drain, IAuditWriter audit, HttpContext context, CancellationToken cancellationToken)
    {
        if (!drain.TryUndo())
        {
            return AdminResults.Conflict("The server stops.");
        }

        await audit.WriteAsync(new AuditEvent(AuditKind.DrainUndone, context.ToOrigin(), Target), cancellationToken);
        return TypedResults.Ok(View(drain));
    }

    // Validation is generated for the servers' own endpoints alone.
    private static Dictionary<string, string[]> Check(DrainRequest request)
    {
        var results = new List<ValidationResult>();
        Validator.TryValidateObject(request, new ValidationContext(request), results, validateAllProperties: true);
        return results.ToDictionary(
            static result => JsonNamingPolicy.CamelCase.ConvertName(result.MemberNames.Single()),
            static result => new[] { result.ErrorMessage! });
    }

    private static TimeSpan? Seconds(int? seconds) => seconds is { } value ? TimeSpan.FromSeconds(value) : null;

    private static DrainView View(DrainService drain) => new(drain.State, drain.Connections);
}
