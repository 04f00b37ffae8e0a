using Microsoft.AspNetCore.Http.HttpResults;

namespace KerberosMessaging.AuthServer.Admin;

internal static class AdminResults
{
    /// <summary>The answer to a change that has nothing to tell: the same whether it was made now or before.</summary>
    public static Results<NoContent, NotFound> Changed(bool isKnown) => isKnown ? TypedResults.NoContent() : TypedResults.NotFound();

    /// <summary>The request is right, but what it asks for cannot be as things stand.</summary>
    public static ProblemHttpResult Conflict(string detail) => TypedResults.Problem(detail, statusCode: StatusCodes.Status409Conflict);

    /// <summary>One field of the request is wrong.</summary>
    public static ValidationProblem Wrong(string field, string message) =>
        TypedResults.ValidationProblem(new Dictionary<string, string[]> { [field] = [message] });
}
