using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Tests.Admin;

/// <summary>Calls of the admin API, each with the answer that it must have.</summary>
internal static class AdminCalls
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Reads what there is: 200.</summary>
    public static Task<JsonElement> ReadAsync(this HttpClient admin, string path) => admin.CallAsync(HttpMethod.Get, path, HttpStatusCode.OK);

    /// <summary>The items of a list's first page.</summary>
    public static async Task<IReadOnlyList<JsonElement>> ListAsync(this HttpClient admin, string path) =>
        [.. (await admin.ReadAsync(path)).GetProperty("items").EnumerateArray()];

    /// <summary>The items of all pages of a list.</summary>
    public static async Task<IReadOnlyList<JsonElement>> ListAllAsync(this HttpClient admin, string path, int limit, Func<Task>? betweenPages = null)
    {
        var items = new List<JsonElement>();
        var start = $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}limit={limit}";
        for (var cursor = (string?)""; cursor is not null;)
        {
            var page = await admin.ReadAsync(cursor.Length == 0 ? start : $"{start}&cursor={cursor}");
            Assert.InRange(page.GetProperty("items").GetArrayLength(), 0, limit);
            items.AddRange(page.GetProperty("items").EnumerateArray());
            cursor = page.GetProperty("next").GetString();
            if (betweenPages is not null)
            {
                await betweenPages();
            }
        }

        return items;
    }

    /// <summary>Makes something: 201.</summary>
    public static Task<JsonElement> MakeAsync(this HttpClient admin, string path, object? body = null) =>
        admin.CallAsync(HttpMethod.Post, path, HttpStatusCode.Created, body);

    /// <summary>Changes something: 204 and no content.</summary>
    public static async Task ChangeAsync(this HttpClient admin, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, $"/admin/v1{path}");
        using var response = await admin.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancel));
    }

    public static Task ChangeAsync(this HttpClient admin, string path) => admin.ChangeAsync(HttpMethod.Post, path);

    /// <summary>Is refused with problem details.</summary>
    public static async Task<JsonElement> ProblemAsync(
        this HttpClient admin, HttpMethod method, string path, HttpStatusCode status, object? body = null)
    {
        var problem = await admin.CallAsync(method, path, status, body, "application/problem+json");
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        return problem;
    }

    /// <summary>Is refused because of one field.</summary>
    public static async Task WrongAsync(this HttpClient admin, HttpMethod method, string path, string field, object? body = null)
    {
        var problem = await admin.ProblemAsync(method, path, HttpStatusCode.BadRequest, body);
        Assert.Equal(field, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    public static async Task<JsonElement> CallAsync(
        this HttpClient admin, HttpMethod method, string path, HttpStatusCode status, object? body = null, string type = "application/json")
    {
        using var request = new HttpRequestMessage(method, $"/admin/v1{path}") { Content = body is null ? null : JsonContent.Create(body) };
        using var response = await admin.SendAsync(request, Cancel);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.True(status == response.StatusCode, $"{method} {path}: {response.StatusCode} {text}");
        Assert.Equal(type, response.Content.Headers.ContentType?.MediaType);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    public static Guid Id(this JsonElement item) => item.GetProperty("id").GetGuid();

    public static string? Text(this JsonElement item, string property) => item.GetProperty(property).GetString();

    public static bool IsNull(this JsonElement item, string property) => item.GetProperty(property).ValueKind == JsonValueKind.Null;

    /// <summary>The whole audit log, oldest first.</summary>
    public static Task<List<AuditRow>> WholeAuditAsync(this TestServer server) => server.ReadAsync(
        static database => database.AuditEvents.AsNoTracking().OrderBy(static row => row.Sequence).ToListAsync(Cancel));

    /// <summary>The audit log, oldest first, but for the row of the token that the server was started with.</summary>
    public static async Task<List<AuditRow>> AuditAsync(this TestServer server) =>
        [.. (await server.WholeAuditAsync()).Where(static row => row is not { Kind: AuditKind.TokenMade, Actor: "system" })];
}
