using System.Net.Mime;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// The page at <c>/</c>: what a server does now, at a glance. Three small files from the assembly; they hold nothing secret, so
/// everybody gets them, and what they show is asked for with the token that is typed into the page.
/// </summary>
internal static class StatusPage
{
    /// <param name="routes">The server's routes.</param>
    /// <param name="title">What the server is called.</param>
    public static void Map(IEndpointRouteBuilder routes, string title)
    {
        // The one thing in which the pages of two servers differ.
        var page = Read("status.html").Replace(
            "<html lang=\"en\">", $"<html lang=\"en\" data-title=\"{HtmlEncoder.Default.Encode(title)}\">", StringComparison.Ordinal);
        Map(routes, "/", page, MediaTypeNames.Text.Html);
        Map(routes, "/status.css", Read("status.css"), MediaTypeNames.Text.Css);
        Map(routes, "/status.js", Read("status.js"), MediaTypeNames.Text.JavaScript);
    }

    private static void Map(IEndpointRouteBuilder routes, string path, string content, string type) => routes
        .MapGet(path, ContentHttpResult (HttpResponse response) =>
        {
            // A server that was upgraded shows its new page at once.
            response.Headers.CacheControl = "no-cache";
            return TypedResults.Text(content, type, System.Text.Encoding.UTF8);
        })
        .AllowAnonymous()
        .ExcludeFromDescription();

    private static string Read(string file)
    {
        var name = $"{typeof(StatusPage).Namespace}.StatusPage.{file}";
        using var stream = typeof(StatusPage).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly lacks {name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
