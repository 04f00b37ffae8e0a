using System.Net;
using System.Text.Json;

namespace KerberosMessaging.Hosting.Tests.Admin;

public sealed class SwaggerTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private AdminServer _server = null!;
    private JsonElement _document;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await AdminServer.StartAsync(_folder);
        _document = await _server.GetJsonAsync("/swagger/v1/swagger.json");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public void The_document_is_openapi_3_1()
    {
        Assert.StartsWith("3.1.", _document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.Equal("Sample admin", _document.GetProperty("info").GetProperty("title").GetString());
        Assert.Equal("Runs a sample.", _document.GetProperty("info").GetProperty("description").GetString());
    }

    [Fact]
    public void Only_protected_operations_ask_for_the_token_and_document_401()
    {
        Assert.NotEmpty(Operations());
        foreach (var (path, operation) in Operations())
        {
            var anonymous = path.StartsWith("/health", StringComparison.Ordinal);
            Assert.Equal(!anonymous, operation.TryGetProperty("security", out var security));
            Assert.Equal(!anonymous, operation.GetProperty("responses").TryGetProperty("401", out var unauthorized));
            if (!anonymous)
            {
                Assert.Equal("""[{"Bearer":[]}]""", JsonSerializer.Serialize(security));
                Assert.True(unauthorized.GetProperty("content").TryGetProperty("application/problem+json", out _));
            }
        }

        Assert.False(_document.TryGetProperty("security", out _));
        var scheme = _document.GetProperty("components").GetProperty("securitySchemes").GetProperty("Bearer");
        Assert.Equal("http", scheme.GetProperty("type").GetString());
        Assert.Equal("bearer", scheme.GetProperty("scheme").GetString());
    }

    [Fact]
    public void Paged_operations_document_400_and_their_parameters()
    {
        var operation = Operation("/admin/v1/rows", "get");
        var parameters = operation.GetProperty("parameters").EnumerateArray().ToDictionary(static p => p.GetProperty("name").GetString()!);

        Assert.True(operation.GetProperty("responses").GetProperty("400").GetProperty("content").TryGetProperty("application/problem+json", out _));
        Assert.Equal(["cursor", "limit"], parameters.Keys.Order());
        Assert.Equal("query", parameters["limit"].GetProperty("in").GetString());
        Assert.Contains("50", parameters["limit"].GetProperty("description").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, parameters["limit"].GetProperty("schema").GetProperty("minimum").GetInt32());
        Assert.Equal(200, parameters["limit"].GetProperty("schema").GetProperty("maximum").GetInt32());
        Assert.Contains("next", parameters["cursor"].GetProperty("description").GetString(), StringComparison.Ordinal);
        Assert.False(parameters["cursor"].TryGetProperty("example", out _));
    }

    [Fact]
    public void Operations_take_their_text_from_the_documentation()
    {
        Assert.Equal("Tells that the process runs.", Operation("/health/live", "get").GetProperty("summary").GetString());
        Assert.Equal("One page of a list.", Schema("SampleRowPage").GetProperty("description").GetString());
    }

    [Fact]
    public void Enums_are_strings_and_required_properties_are_marked()
    {
        Assert.Equal(["low", "high"], Schema("SampleLevel").GetProperty("enum").EnumerateArray().Select(static value => value.GetString()));
        Assert.Equal(["displayName", "state"], Schema("NewRow").GetProperty("required").EnumerateArray().Select(static value => value.GetString()));
        Assert.Equal(["items"], Schema("SampleRowPage").GetProperty("required").EnumerateArray().Select(static value => value.GetString()));
    }

    [Fact]
    public void Limits_and_defaults_of_a_record_are_documented()
    {
        var properties = Schema("NewRow").GetProperty("properties");

        Assert.Equal(2, properties.GetProperty("displayName").GetProperty("minLength").GetInt32());
        Assert.Equal(10, properties.GetProperty("displayName").GetProperty("maxLength").GetInt32());
        Assert.Equal(30, properties.GetProperty("days").GetProperty("maximum").GetInt32());
        Assert.Equal(7, properties.GetProperty("days").GetProperty("default").GetInt32());
    }

    [Fact]
    public void Every_documented_error_is_problem_details()
    {
        foreach (var (path, operation) in Operations())
        {
            foreach (var response in operation.GetProperty("responses").EnumerateObject().Where(static response => response.Name[0] >= '4'))
            {
                Assert.True(
                    response.Value.TryGetProperty("content", out var content) && content.TryGetProperty("application/problem+json", out _),
                    $"{path} {response.Name}");
                Assert.Equal(
                    response.Name,
                    content.GetProperty("application/problem+json").GetProperty("example").GetProperty("status").ToString());
            }
        }
    }

    [Theory]
    [InlineData("/swagger")]
    [InlineData("/swagger/index.html")]
    public async Task The_page_is_served_to_anybody_and_has_no_inline_script(string path)
    {
        using var response = await _server.Client.GetAsync(path, Cancel);
        var html = await response.Content.ReadAsStringAsync(Cancel);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("swagger-ui", html, StringComparison.Ordinal);
        Assert.DoesNotMatch("<script(?![^>]*src=)", html);
        Assert.DoesNotMatch(" on[a-z]+=", html);
    }

    private JsonElement Operation(string path, string method) => _document.GetProperty("paths").GetProperty(path).GetProperty(method);

    private JsonElement Schema(string name) => _document.GetProperty("components").GetProperty("schemas").GetProperty(name);

    private IEnumerable<(string Path, JsonElement Operation)> Operations() =>
        from path in _document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        select (path.Name, operation.Value);
}
