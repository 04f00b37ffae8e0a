using System.Text.Json;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Audit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>Lets admins read and check the audit log.</summary>
public static class AuditEndpoints
{
    private const string JsonLines = "application/x-ndjson";

    /// <summary>Adds the operations to a server's admin API.</summary>
    /// <param name="admin">The protected group.</param>
    public static void MapAudit(this RouteGroupBuilder admin)
    {
        var audit = admin.MapGroup("/audit").WithTags("Audit").RequireScope(AdminScope.AuditRead);
        audit.MapGet("", ListAsync);
        audit.MapGet("/export", ExportAsync).Produces<AuditView>(StatusCodes.Status200OK, JsonLines);
        audit.MapPost("/verify", VerifyAsync);
    }

    /// <summary>Lists security events</summary>
    /// <remarks>Newest first, a page at a time; events that happen while pages are read come before the first.</remarks>
    private static async Task<Results<Ok<Page<AuditView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page, [AsParameters] AuditFilterRequest filter, AuditLog log, CancellationToken cancellationToken)
    {
        if (!page.TryRead(out var limit, out var after, out var problem) || !filter.TryRead(out var wanted, out problem))
        {
            return problem;
        }

        // The row's number stands in the cursor's place for a time.
        var rows = await log.ListAsync(wanted, after?.CreatedAtMs ?? long.MaxValue, limit + 1, cancellationToken);
        return TypedResults.Ok(rows.ToPage(limit, AuditView.Of, static row => PageCursor.Encode(row.Sequence, Guid.Empty)));
    }

    /// <summary>Exports security events</summary>
    /// <remarks>
    /// As JSON lines, oldest first: each line is one event, as the list shows it. The export is an event itself, and with no
    /// end given it is the last line. A reply that ends in the middle of a transfer is not whole, and clients are told so.
    /// </remarks>
    /// <param name="from">Not before this time, such as 2026-05-04T08:00:00Z.</param>
    /// <param name="to">Before this time.</param>
    /// <param name="log">The audit log.</param>
    /// <param name="json">How JSON is written.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<PushStreamHttpResult> ExportAsync(
        DateTimeOffset? from,
        DateTimeOffset? to,
        AuditLog log,
        IOptions<JsonOptions> json,
        HttpContext context,
        CancellationToken cancellationToken)
    {
        var rows = await log.ExportAsync(from, to, context.ToOrigin(), cancellationToken);
        return TypedResults.Stream(
            async body =>
            {
                await using var lines = new StreamWriter(body, leaveOpen: true) { NewLine = "\n" };
                await foreach (var row in rows.WithCancellation(cancellationToken))
                {
                    var line = JsonSerializer.Serialize(AuditView.Of(row), json.Value.SerializerOptions);
                    await lines.WriteLineAsync(line.AsMemory(), cancellationToken);
                }
            },
            JsonLines,
            "audit.jsonl");
    }

    /// <summary>Checks the audit log</summary>
    /// <remarks>
    /// Follows the chain of hashes from the first row to the last. A row that was changed, removed or added by anything but
    /// this server breaks it; `brokenAt` names the first such row.
    /// </remarks>
    private static async Task<Ok<AuditVerificationView>> VerifyAsync(AuditLog log, HttpContext context, CancellationToken cancellationToken)
    {
        var found = await log.VerifyAsync(context.ToOrigin(), cancellationToken);
        return TypedResults.Ok(new AuditVerificationView(
            found.Rows, found.BrokenAt is null, found.BrokenAt, Convert.ToHexStringLower(found.Head)));
    }
}
