using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Health;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Tests.Admin;

public sealed class AdminApiTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private AdminServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private HttpClient Client => _server.Client;

    public async ValueTask InitializeAsync() => _server = await AdminServer.StartAsync(_folder);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(null, "Bearer realm=\"admin\"")]
    [InlineData("Basic YWRtaW46YWRtaW4=", "Bearer realm=\"admin\"")]
    [InlineData("Bearer", "Bearer realm=\"admin\"")]
    [InlineData("Bearer kmsg_admin_wrong-token-wrong-token-wrong-token-wrong-tok", "Bearer realm=\"admin\", error=\"invalid_token\"")]
    public async Task Without_the_right_token_there_is_401(string? authorization, string challenge)
    {
        if (authorization is not null)
        {
            Client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);
        }

        using var response = await Client.GetAsync("/admin/v1/rows", Cancel);

        await AssertProblemAsync(response, HttpStatusCode.Unauthorized);
        Assert.Equal(challenge, Assert.Single(response.Headers.GetValues("WWW-Authenticate")));
    }

    [Theory]
    [InlineData("Bearer ")]
    [InlineData("bearer  ")]
    [InlineData("BEARER ")]
    public async Task With_the_right_token_there_is_200(string scheme)
    {
        Client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", scheme + _server.Token.NewlyMade);

        using var response = await Client.GetAsync("/admin/v1/rows", Cancel);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_wrong_token_is_logged_without_its_sender_and_the_token()
    {
        _server.SignIn("a-wrong-token-that-nobody-may-read");
        await Client.GetAsync("/admin/v1/rows", Cancel);

        var (level, text) = Assert.Single(_server.Log.Lines, static line => line.Text.StartsWith("9001:", StringComparison.Ordinal));
        Assert.Equal(LogLevel.Information, level);
        Assert.DoesNotContain("127.0.0.1", text, StringComparison.Ordinal);
        Assert.DoesNotContain(_server.Log.Lines, static line => line.Text.Contains("a-wrong-token", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_right_token_is_never_logged()
    {
        _server.SignIn();
        await Client.GetAsync("/admin/v1/rows", Cancel);

        Assert.DoesNotContain(_server.Log.Lines, line => line.Text.Contains(_server.Token.NewlyMade!, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_operation_that_names_no_scope_is_closed_to_every_token()
    {
        using var without = await Client.GetAsync("/outside", Cancel);
        _server.SignIn();
        using var with = await Client.GetAsync("/outside", Cancel);

        Assert.Equal(HttpStatusCode.Unauthorized, without.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, with.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/admin/v1/nothing", HttpStatusCode.NotFound, "application/json")]
    [InlineData("GET", "/admin/v1/nothing", HttpStatusCode.NotFound, "text/html")]
    [InlineData("GET", "/admin/v1/rows/not-a-guid", HttpStatusCode.NotFound, "application/json")]
    [InlineData("GET", "/admin/v1/rows/9f0c6a52-0000-0000-0000-000000000000", HttpStatusCode.NotFound, "application/json")]
    [InlineData("DELETE", "/admin/v1/rows", HttpStatusCode.MethodNotAllowed, "application/json")]
    [InlineData("DELETE", "/admin/v1/rows", HttpStatusCode.MethodNotAllowed, "text/html")]
    [InlineData("GET", "/admin/v1/rows?limit=0", HttpStatusCode.BadRequest, "text/html")]
    [InlineData("GET", "/admin/v1/rows?limit=x", HttpStatusCode.BadRequest, "text/html")]
    [InlineData("GET", "/admin/v1/rows?limit=500", HttpStatusCode.BadRequest, "application/xml")]
    [InlineData("POST", "/admin/v1/rows", HttpStatusCode.UnsupportedMediaType, "application/json")]
    [InlineData("GET", "/admin/v1/failing", HttpStatusCode.InternalServerError, "application/json")]
    [InlineData("GET", "/admin/v1/failing", HttpStatusCode.InternalServerError, "text/html")]
    public async Task Every_error_is_problem_details(string method, string path, HttpStatusCode status, string accept)
    {
        _server.SignIn();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
        request.Content = method == "POST" ? new StringContent("text", Encoding.UTF8, "text/plain") : null;

        using var response = await Client.SendAsync(request, Cancel);

        await AssertProblemAsync(response, status);
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public async Task A_failure_of_ours_tells_the_log_and_not_the_client(string environment)
    {
        using var folder = new TempFolder();
        await using var server = await AdminServer.StartAsync(folder, builder => builder.Environment.EnvironmentName = environment);
        server.SignIn();

        using var response = await server.Client.GetAsync("/admin/v1/failing", Cancel);

        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.DoesNotContain(SampleEndpoints.Secret, text, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", text, StringComparison.Ordinal);
        Assert.Contains(server.Log.Lines, static line =>
            line.Level == LogLevel.Error && line.Text.Contains(SampleEndpoints.Secret, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/admin/v1/rows", 7)]
    [InlineData("/admin/v1/rows", 60)]
    [InlineData("/admin/v1/rows", null)]
    [InlineData("/admin/v1/rows", 120)]
    [InlineData("/admin/v1/rows", 200)]
    [InlineData("/admin/v1/rows-by-name", 11)]
    public async Task Paging_visits_each_row_exactly_once(string path, int? limit)
    {
        _server.SignIn();
        var seen = new List<Guid>();
        var pages = 0;
        for (string? query = limit is null ? "?" : $"?limit={limit}&", cursor = ""; cursor is not null; pages++)
        {
            var page = await _server.GetJsonAsync(path + query + (cursor.Length == 0 ? "" : $"cursor={cursor}"));
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(static row => row.GetProperty("id").GetGuid()));
            cursor = page.GetProperty("next").GetString();
        }

        Assert.Equal(SampleEndpoints.Rows.Select(static row => row.Id).Order(), seen.Order());
        Assert.Equal((120 + (limit ?? 50) - 1) / (limit ?? 50), pages);
    }

    [Theory]
    [InlineData("rows?limit=0", "limit")]
    [InlineData("rows?limit=-1", "limit")]
    [InlineData("rows?limit=201", "limit")]
    [InlineData("rows?limit=99999999999", "limit")]
    [InlineData("rows?limit=ten", "limit")]
    [InlineData("rows?cursor=nonsense", "cursor")]
    [InlineData("rows?cursor=AgARIjNEVWZ3iJmqu8zd7v9hbGljZQ", "cursor")]
    [InlineData("rows-by-name?cursor=AQAAAYvP5WgAABEiM0RVZneImaq7zN3u_w", "cursor")]
    [InlineData("rows-by-name?state=sleeping", "state")]
    public async Task A_wrong_parameter_is_named(string query, string fields)
    {
        _server.SignIn();
        using var response = await Client.GetAsync("/admin/v1/" + query, Cancel);

        await AssertNamesAsync(response, fields);
    }

    [Theory]
    [InlineData("", "body")]
    [InlineData("{", "body")]
    [InlineData("null", "body")]
    [InlineData("[]", "body")]
    [InlineData("""{}""", "displayName,state")]
    [InlineData("""{"displayName":null,"state":"low","at":null}""", "displayName")]
    [InlineData("""{"displayName":"a","state":"low","at":null}""", "displayName")]
    [InlineData("""{"displayName":"a","state":"low"}""", "displayName")]
    [InlineData("""{"displayName":"alice","state":"low","days":31}""", "days")]
    [InlineData("""{"displayName":"alice","state":"low","day":3}""", "day")]
    [InlineData("""{"displayName":"alice","state":"middle","at":null}""", "state")]
    [InlineData("""{"displayName":"alice","state":1,"at":null}""", "state")]
    [InlineData("""{"displayName":"alice","state":"low","at":"yesterday"}""", "at")]
    public async Task A_wrong_body_is_told_by_field(string body, string fields)
    {
        _server.SignIn();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Client.PostAsync("/admin/v1/rows", content, Cancel);

        await AssertNamesAsync(response, fields);
    }

    [Fact]
    public async Task A_wrong_request_is_no_error_in_the_log()
    {
        _server.SignIn();
        await Client.GetAsync("/admin/v1/rows?limit=ten", Cancel);
        using var content = new StringContent("{", Encoding.UTF8, "application/json");
        await Client.PostAsync("/admin/v1/rows", content, Cancel);

        Assert.DoesNotContain(_server.Log.Lines, static line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task Names_are_camel_case_enums_strings_and_times_utc()
    {
        _server.SignIn();
        using var content = new StringContent(
            """{"displayName":"alice","state":"high","at":"2026-03-01T12:00:00.5+02:00"}""", Encoding.UTF8, "application/json");
        using var response = await Client.PostAsync("/admin/v1/rows", content, Cancel);

        Assert.Equal(
            """{"displayName":"alice","state":"high","at":"2026-03-01T10:00:00.5Z","days":7}""", await response.Content.ReadAsStringAsync(Cancel));
        var row = (await _server.GetJsonAsync("/admin/v1/rows?limit=1")).GetProperty("items")[0];
        Assert.Equal("onHold", row.GetProperty("state").GetString());
        Assert.Equal("2023-11-14T22:13:20Z", row.GetProperty("createdAt").GetString());
    }

    [Fact]
    public async Task Live_answers_anybody_whatever_the_state() =>
        Assert.Equal("live", (await _server.GetJsonAsync("/health/live")).GetProperty("status").GetString());

    [Fact]
    public async Task Ready_follows_the_state_and_gives_the_reason()
    {
        using var starting = await Client.GetAsync("/health/ready", Cancel);
        var problem = await AssertProblemAsync(starting, HttpStatusCode.ServiceUnavailable);
        Assert.Equal("The server is starting.", problem.GetProperty("detail").GetString());

        _server.Readiness.SetReady();
        Assert.Equal("ready", (await _server.GetJsonAsync("/health/ready")).GetProperty("status").GetString());

        _server.Readiness.SetNotReady("Enrolment is pending.");
        using var pending = await Client.GetAsync("/health/ready", Cancel);
        problem = await AssertProblemAsync(pending, HttpStatusCode.ServiceUnavailable);
        Assert.Equal("Enrolment is pending.", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_failing_check_makes_a_ready_server_not_ready_without_its_exception_text()
    {
        using var folder = new TempFolder();
        await using var server = await AdminServer.StartAsync(folder, static builder => builder.Services.AddHealthChecks()
            .AddCheck("database", static () => throw new InvalidOperationException(SampleEndpoints.Secret), [HealthServices.ReadyTag]));
        server.Readiness.SetReady();

        using var response = await server.Client.GetAsync("/health/ready", Cancel);

        var problem = await AssertProblemAsync(response, HttpStatusCode.ServiceUnavailable);
        Assert.Equal("The check 'database' failed.", problem.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/swagger/index.html")]
    [InlineData("/swagger/v1/swagger.json")]
    [InlineData("/admin/v1/rows")]
    [InlineData("/admin/v1/failing")]
    [InlineData("/nothing")]
    public async Task Every_response_carries_the_security_headers(string path)
    {
        _server.SignIn();
        using var response = await Client.GetAsync(path, Cancel);

        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", Assert.Single(response.Headers.GetValues("Referrer-Policy")));
        Assert.Equal(
            "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
            Assert.Single(response.Headers.GetValues("Content-Security-Policy")));
        Assert.Equal(path.StartsWith("/admin", StringComparison.Ordinal), response.Headers.CacheControl?.NoStore == true);
        Assert.Empty(response.Headers.Server);
    }

    [Fact]
    public async Task The_token_is_shown_at_the_first_start_only_and_keeps_working()
    {
        var token = _server.Token.NewlyMade!;
        await using var again = await AdminServer.StartAsync(_folder);
        again.SignIn(token);

        Assert.Null(again.Token.NewlyMade);
        await again.GetJsonAsync("/admin/v1/rows");
    }

    [Fact]
    public async Task A_token_file_opens_the_api()
    {
        await using var server = await AdminServer.StartAsync(
            _folder, null, ("Admin:TokenFile", _folder.Write("token", "a-token-from-a-secret\n")));
        server.SignIn("a-token-from-a-secret");

        Assert.Null(server.Token.NewlyMade);
        await server.GetJsonAsync("/admin/v1/rows");
    }

    [Fact]
    public async Task A_bad_token_file_stops_the_server() =>
        await Assert.ThrowsAsync<AdminTokenException>(() =>
            AdminServer.StartAsync(_folder, null, ("Admin:TokenFile", _folder.File("missing"))));

    [Theory]
    [InlineData("Admin:Port", "65536", "Port")]
    [InlineData("Admin:Port", "-1", "Port")]
    [InlineData("Admin:Address", "everywhere", "Address")]
    [InlineData("Admin:Address", "", "Address")]
    [InlineData("Admin:TokenHashFile", "", "TokenHashFile")]
    public async Task A_wrong_setting_stops_the_server_with_its_name(string key, string value, string name)
    {
        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => AdminServer.StartAsync(_folder, null, (key, value)));

        Assert.Contains(name, e.Message, StringComparison.Ordinal);
    }

    private static async Task<JsonElement> AssertProblemAsync(HttpResponseMessage response, HttpStatusCode status)
    {
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.True(status == response.StatusCode, $"{response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonDocument.Parse(text).RootElement;
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        Assert.False(string.IsNullOrEmpty(problem.GetProperty("title").GetString()));
        Assert.DoesNotContain(SampleEndpoints.Secret, text, StringComparison.Ordinal);
        return problem;
    }

    private static async Task AssertNamesAsync(HttpResponseMessage response, string fields)
    {
        var problem = await AssertProblemAsync(response, HttpStatusCode.BadRequest);
        Assert.True(problem.TryGetProperty("errors", out var errors), problem.ToString());
        Assert.Equal(fields.Split(',').Order(), errors.EnumerateObject().Select(static error => error.Name).Order());
    }
}
