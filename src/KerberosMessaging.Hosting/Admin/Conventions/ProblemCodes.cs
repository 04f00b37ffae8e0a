using Microsoft.AspNetCore.Http;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>The member <c>code</c> of every problem: what programs decide by. The texts beside it are for people and may change.</summary>
public static class ProblemCodes
{
    /// <summary>400: <c>errors</c> names the fields.</summary>
    public const string ValidationFailed = "validation_failed";

    /// <summary>401: no token, or none that is good.</summary>
    public const string Unauthorized = "unauthorized";

    /// <summary>403: the token lacks the operation's scope.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>404: there is no such thing.</summary>
    public const string NotFound = "not_found";

    /// <summary>405: not with this method.</summary>
    public const string MethodNotAllowed = "method_not_allowed";

    /// <summary>409: as things stand, this cannot be.</summary>
    public const string Conflict = "conflict";

    /// <summary>412: it was changed since it was read.</summary>
    public const string PreconditionFailed = "precondition_failed";

    /// <summary>415: the body is no JSON.</summary>
    public const string UnsupportedMediaType = "unsupported_media_type";

    /// <summary>429: too many tries.</summary>
    public const string RateLimited = "rate_limited";

    /// <summary>500: the server's own fault.</summary>
    public const string InternalError = "internal_error";

    /// <summary>503: the server cannot take work.</summary>
    public const string NotReady = "not_ready";

    /// <summary>409: a job that has ended cannot be aborted.</summary>
    public const string JobFinished = "job_finished";

    /// <summary>409: without this token nobody could administer the server any more.</summary>
    public const string LastAdminToken = "last_admin_token";

    /// <summary>409: another one that is good has the name.</summary>
    public const string NameTaken = "name_taken";

    /// <summary>The code of a problem that has no more specific one.</summary>
    /// <param name="status">Its HTTP status.</param>
    public static string Of(int status) => status switch
    {
        StatusCodes.Status400BadRequest => ValidationFailed,
        StatusCodes.Status401Unauthorized => Unauthorized,
        StatusCodes.Status403Forbidden => Forbidden,
        StatusCodes.Status404NotFound => NotFound,
        StatusCodes.Status405MethodNotAllowed => MethodNotAllowed,
        StatusCodes.Status409Conflict => Conflict,
        StatusCodes.Status412PreconditionFailed => PreconditionFailed,
        StatusCodes.Status415UnsupportedMediaType => UnsupportedMediaType,
        StatusCodes.Status429TooManyRequests => RateLimited,
        StatusCodes.Status503ServiceUnavailable => NotReady,
        < StatusCodes.Status500InternalServerError => ValidationFailed,
        _ => InternalError,
    };
}
