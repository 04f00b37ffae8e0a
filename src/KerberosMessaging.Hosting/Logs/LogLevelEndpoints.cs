using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Logs;

/// <summary>A log level for a while.</summary>
/// <param name="Category" example="KerberosMessaging.Hosting.Wire">Whose lines: a category of the server, as the log shows it, or the beginning of one.</param>
/// <param name="Level" example="Debug">Trace, Debug, Information, Warning, Error, Critical or None.</param>
/// <param name="Minutes" example="15">After how many minutes it goes back by itself, from 1 to 1440.</param>
internal sealed record LogLevelRequest(
    [property: Required] string Category, LogLevel Level, [property: Range(1, 1440)] int Minutes = 15);

/// <summary>A log level that was set for a while.</summary>
/// <param name="Category" example="KerberosMessaging.Hosting.Wire">Whose lines.</param>
/// <param name="Level" example="Debug">The level.</param>
/// <param name="Until" example="2026-05-04T08:30:30Z">When it goes back.</param>
internal sealed record LogLevelView(string Category, LogLevel Level, DateTimeOffset Until);

/// <summary>Lets an admin see more of the log for a while, or less.</summary>
public static partial class LogLevelEndpoints
{
    /// <summary>Adds the operations to a server's admin API.</summary>
    /// <param name="admin">The protected group.</param>
    public static void MapLogLevel(this RouteGroupBuilder admin)
    {
        var level = admin.MapGroup("/log-level").WithTags("Log").RequireScope(AdminScope.Ops);
        level.MapGet("", List);
        level.MapPut("", SetAsync);
        level.MapDelete("", RemoveAsync);
    }

    /// <summary>Lists the log levels that were set for a while</summary>
    private static Ok<LogLevelView[]> List(LogLevelOverrides levels) => TypedResults.Ok(levels.All.Select(View).ToArray());

    /// <summary>Sets a log level for a while</summary>
    /// <remarks>
    /// It is in force at once and goes back by itself, also with a restart. Only categories of the server itself can be set: those of the
    /// framework would write paths, names and addresses, and are set by configuration.
    /// </remarks>
    private static async Task<Results<Ok<LogLevelView>, ValidationProblem>> SetAsync(
        LogLevelRequest request, LogLevelOverrides levels, HttpContext context, CancellationToken cancellationToken)
    {
        if (!Category().IsMatch(request.Category ?? ""))
        {
            return AdminResults.Wrong("category", "The field category must be a category of the server, which begins with KerberosMessaging.");
        }

        if (!Enum.IsDefined(request.Level))
        {
            return AdminResults.Wrong("level", "The field level must be Trace, Debug, Information, Warning, Error, Critical or None.");
        }

        if (request.Minutes is < 1 or > 1440)
        {
            return AdminResults.Wrong("minutes", "The field minutes must be between 1 and 1440.");
        }

        var set = await levels.SetAsync(
            request.Category!, request.Level, TimeSpan.FromMinutes(request.Minutes), context.ToOrigin(), cancellationToken);
        return TypedResults.Ok(View(set));
    }

    /// <summary>Goes back to the configured log level</summary>
    /// <param name="category" example="KerberosMessaging.Hosting.Wire">As it was set.</param>
    /// <param name="levels">What is set.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    private static async Task<Results<NoContent, NotFound>> RemoveAsync(
        [Required] string category, LogLevelOverrides levels, HttpContext context, CancellationToken cancellationToken) =>
        AdminResults.Changed(await levels.RemoveAsync(category, context.ToOrigin(), cancellationToken));

    private static LogLevelView View(LogLevelOverride set) => new(set.Category, set.Level, set.Until);

    [GeneratedRegex(@"^KerberosMessaging(\.[A-Za-z0-9_]{1,64}){0,8}$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Category();
}
