using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace KerberosMessaging.Hosting.Admin.Jobs;

/// <summary>Shows what became of long work.</summary>
public static class JobEndpoints
{
    /// <summary>Adds the operations to a server's admin API.</summary>
    /// <param name="admin">The protected group.</param>
    public static void MapJobs(this RouteGroupBuilder admin)
    {
        var jobs = admin.MapGroup("/jobs").WithTags("Jobs").RequireScope(AdminScope.Ops);
        jobs.MapGet("", List);
        jobs.MapGet("/{id:guid}", Get);
        jobs.MapPost("/{id:guid}/abort", Abort).ProducesProblem(StatusCodes.Status409Conflict);
    }

    /// <summary>Lists the jobs</summary>
    /// <remarks>Newest first, a page at a time: the last 1,000 since the server started.</remarks>
    private static Results<Ok<Page<JobView>>, ValidationProblem> List([AsParameters] PageRequest page, AdminJobs jobs)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        // The job's number stands in the cursor's place for a time.
        var before = after?.CreatedAtMs ?? long.MaxValue;
        var rows = jobs.All().Where(job => job.Number < before).OrderByDescending(static job => job.Number).Take(limit + 1).ToArray();
        return TypedResults.Ok(rows.ToPage(limit, static job => job.View(), static job => PageCursor.Encode(job.Number, Guid.Empty)));
    }

    /// <summary>Shows a job</summary>
    /// <param name="id" example="5e1f0c3a-8b47-4d92-a6c1-3f7e9b20d584">The job's id.</param>
    /// <param name="jobs">The jobs.</param>
    /// <param name="context">The request.</param>
    private static Results<Ok<JobView>, NotFound> Get(Guid id, AdminJobs jobs, HttpContext context)
    {
        if (jobs.Find(id) is not { } job)
        {
            return TypedResults.NotFound();
        }

        job.Tag().SendWith(context.Response);
        return TypedResults.Ok(job.View());
    }

    /// <summary>Aborts a job</summary>
    /// <remarks>It ends soon after; what it has done by then stays done. One that has ended already is a 409.</remarks>
    /// <param name="id" example="5e1f0c3a-8b47-4d92-a6c1-3f7e9b20d584">The job's id.</param>
    /// <param name="ifMatch">Aborts it only in this state.</param>
    /// <param name="jobs">The jobs.</param>
    private static Results<Accepted<JobView>, NotFound, ProblemHttpResult> Abort(
        Guid id, [FromHeader(Name = "If-Match")] string? ifMatch, AdminJobs jobs)
    {
        if (jobs.Find(id) is not { } job)
        {
            return TypedResults.NotFound();
        }

        if (!Precondition.Parse(ifMatch).Holds(job.Tag()))
        {
            return AdminResults.Stale();
        }

        if (job.State is JobState.Done or JobState.Failed or JobState.Aborted)
        {
            return AdminResults.Conflict(ProblemCodes.JobFinished, "The job has ended already.");
        }

        job.Abort();
        return AdminResults.Accepted(job);
    }
}
