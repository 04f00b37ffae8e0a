using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace KerberosMessaging.Hosting.Tests.Admin;

/// <summary>
/// Goes through every operation that a running server's OpenAPI document names, so that a new one cannot miss what all of them
/// promise.
/// </summary>
internal sealed class OpenApiWalk(Uri server, string token, JsonElement document) : IDisposable
{
    /// <summary>When set, the documents that are checked in are written anew instead of compared.</summary>
    public const string UpdateVariable = "KMSG_UPDATE_OPENAPI";

    private const string Base = "/admin/v1/";
    private const string Self = "GET /admin/v1/tokens/self";

    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly HttpClient _http = new() { BaseAddress = server };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<OpenApiWalk> StartAsync(HttpClient admin, string token)
    {
        var document = JsonSerializer.Deserialize<JsonElement>(await admin.GetStringAsync("/openapi.json", Cancel));
        return new OpenApiWalk(admin.BaseAddress!, token, document);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The document is the one in <c>docs</c>.</summary>
    public async Task IsCheckedInAsync(string name)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KerberosMessaging.sln")))
        {
            folder = folder.Parent!;
        }

        var file = Path.Combine(folder.FullName, "docs", name);
        var now = JsonSerializer.Serialize(document, Indented) + "\n";
        if (Environment.GetEnvironmentVariable(UpdateVariable) is { Length: > 0 })
        {
            await File.WriteAllTextAsync(file, now, Cancel);
        }

        Assert.True(now == await File.ReadAllTextAsync(file, Cancel), $"docs/{name} is not what the server says: run this test with {UpdateVariable}=1.");
    }

    /// <summary>Each says what it does, which scope it needs, and how it refuses.</summary>
    public void AreDocumented()
    {
        var operations = Operations().ToList();
        Assert.True(operations.Count > 15, $"only {operations.Count} operations");
        var tags = document.GetProperty("tags").EnumerateArray().ToDictionary(static tag => Text(tag, "name"), static tag => Text(tag, "description"));
        foreach (var operation in operations)
        {
            var json = operation.Json;
            Assert.True(json.GetProperty("summary").GetString()!.Length > 0, operation.Name);
            var tag = Assert.Single(json.GetProperty("tags").EnumerateArray()).GetString()!;
            Assert.True(tags.TryGetValue(tag, out var about) && about.Length > 0, $"{operation.Name}: nothing says what {tag} is");
            Assert.True(operation.Name == Self || operation.Scope is not null, $"{operation.Name} names no scope");
            Assert.Equal(operation.Scope is { } scope ? [scope] : [], Security(json));

            var responses = Responses(json);
            Assert.True(responses.Contains("401"), operation.Name);
            Assert.True(responses.Contains("403") || operation.Scope is null, operation.Name);
            Assert.True(
                json.GetProperty("responses").TryGetProperty("429", out var limited) && limited.GetProperty("headers").TryGetProperty("Retry-After", out _),
                operation.Name);

            // A PUT makes what is not there.
            Assert.True(
                responses.Contains("404") || operation.Method == "PUT" || !operation.Path.Contains('{', StringComparison.Ordinal), operation.Name);
            Assert.True(responses.Contains("400") || !json.TryGetProperty("requestBody", out _), operation.Name);
            Assert.True(responses.Contains("412") || operation.Parameters.All(static parameter => Text(parameter, "name") != "If-Match"), operation.Name);
            foreach (var parameter in operation.Parameters)
            {
                Assert.True(parameter.TryGetProperty("description", out _), $"{operation.Name} {Text(parameter, "name")}");
                Assert.True(Text(parameter, "in") != "path" || parameter.TryGetProperty("example", out _), $"{operation.Name} {Text(parameter, "name")}");
            }
        }
    }

    /// <summary>
    /// Each that changes what has an id of its own takes <c>If-Match</c>, and refuses a state that never was. What has none (a drain, a
    /// log level, many at once) has no state that an admin could have read before.
    /// </summary>
    /// <param name="living">Things that exist, by their path in the document, such as <c>clients/{id}</c>.</param>
    public async Task RefuseStaleChangesAsync(IReadOnlyDictionary<string, string> living)
    {
        var changes = Operations().Where(static operation => operation.Method != "GET" && operation.Path.Contains('{', StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(changes);
        foreach (var operation in changes)
        {
            Assert.True(
                operation.Parameters.Any(static parameter => Text(parameter, "name") == "If-Match" && Text(parameter, "in") == "header"),
                $"{operation.Name} takes no If-Match");

            var resource = living.Where(one => $"{operation.Path}/".StartsWith($"{Base}{one.Key}/", StringComparison.Ordinal)).MaxBy(static one => one.Key.Length);
            Assert.True(resource.Key is not null, $"{operation.Name}: nothing that it could change exists");
            var path = Base + resource.Value;
            var before = await TagAsync(path);
            await ProblemAsync(
                operation,
                path + operation.Path[(Base.Length + resource.Key!.Length)..],
                HttpStatusCode.PreconditionFailed,
                "precondition_failed",
                token,
                Body(operation.Json),
                "\"stale\"");

            // A job goes on by itself.
            Assert.True(resource.Key == "jobs/{id}" || before == await TagAsync(path), $"{operation.Name} changed it all the same");
        }
    }

    public async Task AreClosedWithoutATokenAsync()
    {
        foreach (var operation in Operations())
        {
            await ProblemAsync(operation, operation.Example, HttpStatusCode.Unauthorized, "unauthorized", bearer: null);
        }
    }

    public async Task AreClosedToTokensThatLackTheScopeAsync()
    {
        var all = Operations().Select(static operation => operation.Scope).OfType<string>().Append("tokens:manage").ToHashSet();
        foreach (var scope in all)
        {
            using var make = new HttpRequestMessage(HttpMethod.Post, $"{Base}tokens")
            {
                Content = JsonContent.Create(new { name = $"no-{scope.Replace(':', '-')}", scopes = all.Where(other => other != scope) }),
            };
            make.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var made = await _http.SendAsync(make, Cancel);
            Assert.Equal(HttpStatusCode.Created, made.StatusCode);
            var lacking = (await made.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("token").GetString();
            foreach (var operation in Operations().Where(operation => operation.Scope == scope))
            {
                var problem = await ProblemAsync(operation, operation.Example, HttpStatusCode.Forbidden, "forbidden", lacking);
                Assert.Contains(scope, Text(problem, "detail"), StringComparison.Ordinal);
            }
        }
    }

    /// <summary>A wrong value in the query, or a body that is no JSON.</summary>
    public async Task RefuseBadInputByNameAsync()
    {
        foreach (var operation in Operations())
        {
            foreach (var name in operation.Parameters.Where(CanBeWrong).Select(static parameter => Text(parameter, "name")))
            {
                var problem = await ProblemAsync(
                    operation, $"{operation.Example}?{name}=!", HttpStatusCode.BadRequest, "validation_failed", token);
                Assert.True(problem.GetProperty("errors").TryGetProperty(name, out _), $"{operation.Name} {name}: {problem}");
            }

            if (operation.Json.TryGetProperty("requestBody", out _))
            {
                var problem = await ProblemAsync(
                    operation, operation.Example, HttpStatusCode.BadRequest, "validation_failed", token, """{"no-such-member": """);
                Assert.NotEmpty(problem.GetProperty("errors").EnumerateObject());
            }
        }
    }

    /// <summary>Ids of nothing, and bodies as the document's examples have them.</summary>
    public async Task AnswerUnknownIdsWith404Async()
    {
        foreach (var operation in Operations()
            .Where(static operation => operation.Path.Contains('{', StringComparison.Ordinal) && Responses(operation.Json).Contains("404")))
        {
            await ProblemAsync(operation, operation.OfNothing, HttpStatusCode.NotFound, "not_found", token, Body(operation.Json));
        }
    }

    private static bool CanBeWrong(JsonElement parameter) => Text(parameter, "in") == "query"
        && (Text(parameter, "name") is "limit" or "cursor"
            || (parameter.GetProperty("schema") is var schema
                && (schema.TryGetProperty("format", out _) || (schema.TryGetProperty("type", out var type) && type.ToString() is "boolean" or "integer"))));

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? "";

    private static HashSet<string> Responses(JsonElement operation) =>
        [.. operation.GetProperty("responses").EnumerateObject().Select(static response => response.Name)];

    private static IEnumerable<string?> Security(JsonElement operation) =>
        operation.GetProperty("security")[0].GetProperty("Bearer").EnumerateArray().Select(static scope => scope.GetString());

    private IEnumerable<Operation> Operations() =>
        from path in document.GetProperty("paths").EnumerateObject()
        where path.Name.StartsWith(Base, StringComparison.Ordinal)
        from operation in path.Value.EnumerateObject()
        select new Operation(operation.Name.ToUpperInvariant(), path.Name, operation.Value);

    // Of each member the example, as the page would send it.
    private string? Body(JsonElement operation)
    {
        if (!operation.TryGetProperty("requestBody", out var body))
        {
            return null;
        }

        var schema = Resolve(body.GetProperty("content").GetProperty("application/json").GetProperty("schema"));
        var members = schema.GetProperty("properties").EnumerateObject()
            .Where(static member => member.Value.TryGetProperty("examples", out _) || member.Value.TryGetProperty("example", out _))
            .ToDictionary(
                static member => member.Name,
                static member => member.Value.TryGetProperty("examples", out var examples) ? examples[0] : member.Value.GetProperty("example"));
        return JsonSerializer.Serialize(members);
    }

    private JsonElement Resolve(JsonElement schema)
    {
        if (schema.TryGetProperty("oneOf", out var choices))
        {
            schema = choices.EnumerateArray().Last();
        }

        return schema.TryGetProperty("$ref", out var reference)
            ? document.GetProperty("components").GetProperty("schemas").GetProperty(reference.GetString()!.Split('/')[^1])
            : schema;
    }

    private async Task<string> TagAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await _http.SendAsync(request, Cancel);
        Assert.True(response.IsSuccessStatusCode, $"GET {path}: {response.StatusCode}");
        return Assert.IsType<EntityTagHeaderValue>(response.Headers.ETag).ToString();
    }

    private async Task<JsonElement> ProblemAsync(
        Operation operation, string path, HttpStatusCode status, string code, string? bearer, string? body = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(operation.Method), path)
        {
            Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = bearer is null ? null : new AuthenticationHeaderValue("Bearer", bearer);
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        using var response = await _http.SendAsync(request, Cancel);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.True(status == response.StatusCode, $"{operation.Name} as {path}: {response.StatusCode} {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonSerializer.Deserialize<JsonElement>(text);
        Assert.Equal(code, Text(problem, "code"));
        return problem;
    }

    private sealed record Operation(string Method, string Path, JsonElement Json)
    {
        public string Name => $"{Method} {Path}";

        public string? Scope => Json.TryGetProperty("x-scope", out var scope) ? scope.GetString() : null;

        public IReadOnlyList<JsonElement> Parameters =>
            Json.TryGetProperty("parameters", out var parameters) ? [.. parameters.EnumerateArray()] : [];

        // What is named by a word and not by an id may exist under the example's.
        public string OfNothing => Fill(static example => Guid.TryParse(example, out _) ? example : "nothing");

        // Ids of nothing that there is: the document's own examples.
        public string Example => Fill(static example => example);

        private string Fill(Func<string, string> choose) => Parameters.Where(static parameter => Text(parameter, "in") == "path").Aggregate(
            Path,
            (path, parameter) => path.Replace(
                $"{{{Text(parameter, "name")}}}", choose(parameter.GetProperty("example").ToString()), StringComparison.Ordinal));
    }
}
