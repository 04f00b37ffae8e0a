using Microsoft.AspNetCore.Http;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>Headers of every response, errors included.</summary>
internal static class SecurityHeaders
{
    // Swagger UI loads its own files only, but styles elements inline and draws icons from data URIs.
    public const string ContentPolicy =
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

    public static Task AddAsync(HttpContext context, RequestDelegate next)
    {
        // As late as possible: the exception handler clears what was set before.
        context.Response.OnStarting(static state =>
        {
            var (request, response) = (((HttpContext)state).Request, ((HttpContext)state).Response);
            var headers = response.Headers;
            headers.ContentSecurityPolicy = ContentPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            if (request.Path.StartsWithSegments(AdminApi.BasePath))
            {
                headers.CacheControl = "no-store";
            }

            return Task.CompletedTask;
        }, context);
        return next(context);
    }
}
