using KerberosMessaging.Hosting.Admin.Jobs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>The answers that operations of the admin API have in common.</summary>
public static class AdminResults
{
    /// <summary>The answer to a change that has nothing to tell: the same whether it was made now or before.</summary>
    /// <param name="isKnown">Whether what is to be changed exists.</param>
    public static Results<NoContent, NotFound> Changed(bool isKnown) => isKnown ? TypedResults.NoContent() : TypedResults.NotFound();

    /// <summary>The answer to a change that has nothing to tell: 204, 404 or 412.</summary>
    /// <param name="change">What came of it.</param>
    public static Results<NoContent, NotFound, ProblemHttpResult> Changed(AdminChange change) => change switch
    {
        AdminChange.Done => TypedResults.NoContent(),
        AdminChange.Unknown => TypedResults.NotFound(),
        _ => Stale(),
    };

    /// <summary>The answer to a change of what is not any more as the admin had seen it: 412.</summary>
    public static ProblemHttpResult Stale() => Problem(
        StatusCodes.Status412PreconditionFailed,
        ProblemCodes.PreconditionFailed,
        "It was changed since it was read: If-Match names another state. Read it again.");

    /// <summary>The request is right, but what it asks for cannot be as things stand: 409.</summary>
    /// <param name="detail">Why, for people.</param>
    public static ProblemHttpResult Conflict(string detail) => Conflict(ProblemCodes.Conflict, detail);

    /// <summary>The request is right, but what it asks for cannot be as things stand: 409.</summary>
    /// <param name="code">Why, for programs.</param>
    /// <param name="detail">Why, for people.</param>
    public static ProblemHttpResult Conflict(string code, string detail) => Problem(StatusCodes.Status409Conflict, code, detail);

    /// <summary>One field of the request is wrong: 400.</summary>
    /// <param name="field">Which, as it is written in the request.</param>
    /// <param name="message">What is wrong with it.</param>
    public static ValidationProblem Wrong(string field, string message) =>
        TypedResults.ValidationProblem(new Dictionary<string, string[]> { [field] = [message] });

    /// <summary>A problem with a code of its own.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="code">What it is, for programs.</param>
    /// <param name="detail">What it is, for people.</param>
    public static ProblemHttpResult Problem(int status, string code, string detail) =>
        TypedResults.Problem(detail, statusCode: status, extensions: new Dictionary<string, object?> { ["code"] = code });

    /// <summary>The answer to long work: 202, with where to look for what becomes of it.</summary>
    /// <param name="job">The job, as it was started.</param>
    public static Accepted<JobView> Accepted(AdminJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return TypedResults.Accepted($"{AdminApi.BasePath}/jobs/{job.Id}", job.View());
    }
}
