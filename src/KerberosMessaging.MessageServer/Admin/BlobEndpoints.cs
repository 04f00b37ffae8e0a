using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Admin.Jobs;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.MessageServer.Domain.Blobs;
using KerberosMessaging.MessageServer.Persistence.Blobs;
using KerberosMessaging.Protocol;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace KerberosMessaging.MessageServer.Admin;

internal static class BlobEndpoints
{
    private const long OldestSeconds = 10L * 365 * 24 * 3600;

    public static void Map(RouteGroupBuilder admin)
    {
        var blobs = admin.MapGroup("/blobs").WithTags("Blobs");
        blobs.MapGet("/stats", ReadStatsAsync).RequireScope(AdminScope.QueuesRead);
        blobs.MapGet("", ListAsync).RequireScope(AdminScope.QueuesRead);
        blobs.MapGet("/{handle:guid}", GetAsync).RequireScope(AdminScope.QueuesRead);
        blobs.MapDelete("/{handle:guid}", DeleteAsync).RequireScope(AdminScope.QueuesPurge).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        blobs.MapPost("/expire", ExpireAsync).RequireScope(AdminScope.QueuesPurge);
    }

    /// <summary>Tells how many blobs there are</summary>
    /// <remarks>Content is not shown: the server cannot read it. Ids are not shown: whoever knows one may read the blob.</remarks>
    private static async Task<Ok<BlobStatsView>> ReadStatsAsync(BlobIndex index, CancellationToken cancellationToken)
    {
        var stats = await index.ReadStatsAsync(cancellationToken);
        return TypedResults.Ok(new BlobStatsView(stats.Complete, stats.CompleteBytes, stats.Unfinished, stats.UnfinishedBytes));
    }

    /// <summary>Lists the blobs</summary>
    /// <remarks>Oldest first, a page at a time. Each has a handle, which opens nothing; ids are not shown, because whoever knows one may read the blob.</remarks>
    /// <param name="page">Which page.</param>
    /// <param name="client">Only those that this client uploads: its id.</param>
    /// <param name="olderThanSeconds">Only those that were announced so many seconds ago or earlier.</param>
    /// <param name="index">The blobs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<Page<BlobView>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page, Guid? client, long? olderThanSeconds, BlobIndex index, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        if (olderThanSeconds is < 0 or > OldestSeconds)
        {
            return AdminResults.Wrong("olderThanSeconds", $"It must be between 0 and {OldestSeconds}.");
        }

        var start = after ?? PagePosition.Start;
        var rows = await index.ListAsync(
            client is { } id ? new ClientId(id) : null,
            olderThanSeconds is { } seconds ? time.GetUtcNow().AddSeconds(-seconds).AddMilliseconds(1) : null,
            (start.CreatedAtMs, new BlobHandle(start.Id)),
            limit + 1,
            cancellationToken);
        return TypedResults.Ok(rows.ToPage(
            limit, BlobView.Of, static row => PageCursor.Encode(row.CreatedAt.ToUnixTimeMilliseconds(), row.Handle.Value)));
    }

    /// <summary>Shows a blob</summary>
    /// <param name="handle" example="9b1d7c52-3f6e-4a08-8c41-d2e7f5a09b36">The blob's handle.</param>
    /// <param name="index">The blobs.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<BlobView>, NotFound>> GetAsync(
        Guid handle, BlobIndex index, HttpContext context, CancellationToken cancellationToken)
    {
        if (await index.FindAsync(new BlobHandle(handle), cancellationToken) is not { } blob)
        {
            return TypedResults.NotFound();
        }

        EntityTag.Of(handle).SendWith(context.Response);
        return TypedResults.Ok(BlobView.Of(blob));
    }

    /// <summary>Deletes a blob</summary>
    /// <remarks>At once, whether or not it is complete. Who was sent its key finds nothing any more.</remarks>
    /// <param name="handle" example="9b1d7c52-3f6e-4a08-8c41-d2e7f5a09b36">The blob's handle.</param>
    /// <param name="ifMatch">Deletes it only if it is the one that was read.</param>
    /// <param name="index">The blobs.</param>
    /// <param name="blobs">Deletes them.</param>
    /// <param name="audit">The audit log.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> DeleteAsync(
        Guid handle,
        [FromHeader(Name = "If-Match")] string? ifMatch,
        BlobIndex index,
        BlobService blobs,
        IAuditWriter audit,
        HttpContext context,
        CancellationToken cancellationToken)
    {
        if (await index.FindAsync(new BlobHandle(handle), cancellationToken) is not { } blob)
        {
            return TypedResults.NotFound();
        }

        if (!Precondition.Parse(ifMatch).Holds(EntityTag.Of(handle)))
        {
            return AdminResults.Stale();
        }

        await audit.WriteAsync(
            new AuditEvent(AuditKind.BlobRemoved, context.ToOrigin(), $"blob {handle}", $"of client {blob.Announcement.Uploader.Value}"),
            cancellationToken);
        return await blobs.RemoveAsync(new BlobHandle(handle), cancellationToken) switch
        {
            true => TypedResults.NoContent(),
            null => TypedResults.NotFound(),
            false => AdminResults.Problem(
                StatusCodes.Status503ServiceUnavailable, ProblemCodes.NotReady, "The disk does not let it be deleted now."),
        };
    }

    /// <summary>Deletes old blobs</summary>
    /// <remarks>As a job, the oldest first.</remarks>
    /// <param name="request">How old.</param>
    /// <param name="blobs">Deletes them.</param>
    /// <param name="jobs">The jobs.</param>
    /// <param name="audit">The audit log.</param>
    /// <param name="time">The clock.</param>
    /// <param name="context">The request.</param>
    private static async Task<Results<Accepted<JobView>, ValidationProblem>> ExpireAsync(
        ExpireRequest request, BlobService blobs, AdminJobs jobs, IAuditWriter audit, TimeProvider time, HttpContext context)
    {
        var before = request.Before(time);
        var origin = context.ToOrigin();
        await audit.WriteAsync(new AuditEvent(AuditKind.BlobsExpired, origin, "all blobs", request.ToString()), context.RequestAborted);
        return AdminResults.Accepted(await jobs.StartAsync(
            "expire-blobs",
            "all blobs",
            origin,
            (progress, cancellationToken) => blobs.RemoveOldAsync(before, () => progress.Add(1), cancellationToken),
            context.RequestAborted));
    }
}
