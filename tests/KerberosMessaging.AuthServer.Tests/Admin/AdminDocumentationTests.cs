using System.Net;
using System.Text.Json;
using KerberosMessaging.AuthServer.Tests.Support;

namespace KerberosMessaging.AuthServer.Tests.Admin;

public sealed class AdminDocumentationTests : IAsyncLifetime
{
    private static readonly string[] Expected =
    [
        "DELETE /clients/{id}",
        "DELETE /clients/{id}/devices/{deviceId}",
        "DELETE /drain",
        "DELETE /lockouts",
        "DELETE /lockouts/{id}",
        "DELETE /one-time-tokens/{id}",
        "GET /audit",
        "GET /audit/export",
        "GET /clients",
        "GET /clients/{id}",
        "GET /clients/{id}/devices",
        "GET /clients/{id}/devices/{deviceId}",
        "GET /drain",
        "GET /jobs",
        "GET /jobs/{id}",
        "GET /keys",
        "GET /keys/{purpose}",
        "GET /lockouts",
        "GET /lockouts/{id}",
        "GET /one-time-tokens",
        "GET /one-time-tokens/{id}",
        "GET /servers",
        "GET /servers/{id}",
        "GET /sessions",
        "GET /sessions/{id}",
        "GET /stats",
        "POST /audit/verify",
        "POST /clients/{id}/disable",
        "POST /clients/{id}/enable",
        "POST /clients/{id}/reset-token",
        "POST /clients/{id}/sessions/revoke",
        "POST /drain",
        "POST /enrolment-tokens",
        "POST /invites",
        "POST /jobs/{id}/abort",
        "POST /keys/{purpose}/rotate",
        "POST /servers/{id}/disable",
        "POST /servers/{id}/enable",
        "POST /servers/{id}/enrolment-token",
        "POST /servers/{id}/rotate-key",
        "POST /sessions/revoke",
        "POST /sessions/{id}/revoke",
    ];

    private TestServer _server = null!;
    private JsonElement _document;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        using var stranger = _server.Admin(withToken: false);
        _document = JsonSerializer.Deserialize<JsonElement>(await stranger.GetStringAsync("/swagger/v1/swagger.json", Cancel));
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public void Every_operation_is_documented()
    {
        Assert.Equal("Auth server", _document.GetProperty("info").GetProperty("title").GetString());
        Assert.Equal(Expected, Operations().Select(static operation => $"{operation.Method} {operation.Path}").Order(StringComparer.Ordinal));
        foreach (var (method, path, operation) in Operations())
        {
            var name = $"{method} {path}";
            Assert.True(operation.GetProperty("summary").GetString()!.Length > 0, name);
            Assert.True(operation.GetProperty("tags").GetArrayLength() == 1, name);
            var bearer = operation.GetProperty("security").EnumerateArray().Single().GetProperty("Bearer");
            Assert.True(bearer.GetArrayLength() == 1, name);

            var responses = operation.GetProperty("responses").EnumerateObject().Select(static response => response.Name).ToHashSet();
            Assert.Contains("401", responses);
            Assert.True(responses.Contains("404") || !path.Contains('{', StringComparison.Ordinal), name);
            Assert.True(responses.Contains("400") || !operation.TryGetProperty("requestBody", out _), name);
            if (operation.TryGetProperty("parameters", out var parameters))
            {
                foreach (var parameter in parameters.EnumerateArray())
                {
                    Assert.True(parameter.TryGetProperty("description", out _), $"{name} {parameter.GetProperty("name")}");

                    // The page would send it: an example of an optional filter would hide all there is.
                    var isInPath = parameter.GetProperty("in").GetString() == "path";
                    Assert.True(
                        isInPath == parameter.TryGetProperty("example", out _) || parameter.GetProperty("name").GetString() == "limit",
                        $"{name} {parameter.GetProperty("name")}");
                }
            }
        }
    }

    [Fact]
    public void Every_property_has_a_description_and_an_example()
    {
        var schemas = _document.GetProperty("components").GetProperty("schemas").EnumerateObject()
            .Where(static schema => schema.Name.EndsWith("View", StringComparison.Ordinal) || schema.Name is "NewInvite" or "SessionsToRevoke")
            .ToList();

        Assert.Equal(20, schemas.Count);
        foreach (var schema in schemas)
        {
            foreach (var property in schema.Value.GetProperty("properties").EnumerateObject())
            {
                Assert.NotEmpty(property.Value.GetProperty("description").GetString()!);

                // What has a schema of its own has its examples there.
                var isOfOthers = property.Value.TryGetProperty("$ref", out _)
                    || (property.Value.TryGetProperty("items", out var items) && items.TryGetProperty("$ref", out _));
                Assert.True(isOfOthers || property.Value.TryGetProperty("examples", out _), $"{schema.Name}.{property.Name}");
            }
        }
    }

    [Fact]
    public async Task No_operation_answers_without_the_token()
    {
        using var stranger = _server.Admin(withToken: false);
        foreach (var (method, path, _) in Operations())
        {
            var asked = path
                .Replace("{id}", Guid.NewGuid().ToString(), StringComparison.Ordinal)
                .Replace("{deviceId}", Guid.NewGuid().ToString(), StringComparison.Ordinal)
                .Replace("{purpose}", "ticket", StringComparison.Ordinal);
            await stranger.ProblemAsync(new HttpMethod(method), asked, HttpStatusCode.Unauthorized);
        }

        Assert.Single(await _server.AuditAsync());
    }

    private IEnumerable<(string Method, string Path, JsonElement Operation)> Operations() =>
        from path in _document.GetProperty("paths").EnumerateObject()
        where path.Name.StartsWith("/admin/v1/", StringComparison.Ordinal)
        from operation in path.Value.EnumerateObject()
        select (operation.Name.ToUpperInvariant(), path.Name["/admin/v1".Length..], operation.Value);
}
