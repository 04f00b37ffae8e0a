using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Tests.Admin;

public sealed class AdminListTests : IAsyncLifetime
{
    private static readonly string[] Lists = ["/admin/v1/clients", "/admin/v1/sessions", "/admin/v1/servers"];

    private TestServer _server = null!;
    private HttpClient _admin = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _admin = _server.Admin();
    }

    public async ValueTask DisposeAsync()
    {
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Without_the_token_nothing_is_told_or_made()
    {
        using var stranger = _server.Admin(withToken: false);
        foreach (var list in Lists)
        {
            using var response = await stranger.GetAsync(list, Cancel);
            await AssertProblemAsync(response, HttpStatusCode.Unauthorized);
        }

        using var posted = await stranger.PostAsync("/admin/v1/enrolment-tokens", content: null, Cancel);
        await AssertProblemAsync(posted, HttpStatusCode.Unauthorized);
        Assert.Equal(0, await _server.ReadAsync(static database => Task.FromResult(database.OneTimeTokens.Count())));
    }

    [Fact]
    public async Task Health_is_told_to_anybody()
    {
        using var stranger = _server.Admin(withToken: false);

        Assert.Equal("live", (await GetAsync(stranger, "/health/live")).GetProperty("status").GetString());
        Assert.Equal("ready", (await GetAsync(stranger, "/health/ready")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task An_empty_realm_has_empty_lists()
    {
        foreach (var list in Lists)
        {
            var page = await GetAsync(_admin, list);
            Assert.Empty(page.GetProperty("items").EnumerateArray());
            Assert.Equal(JsonValueKind.Null, page.GetProperty("next").ValueKind);
        }
    }

    [Fact]
    public async Task A_client_is_listed_with_its_devices_and_its_home()
    {
        var messages = await _server.EnrolAsync();
        var (account, ticket, client) = await _server.SignUpAsync("Alice");
        await using (client)
        {
            await client.LoginAsync(account, new TestDevice());
            await client.RequestAsync<ClientFound>(new LookUpClientRequest("alice"));
            _server.Time.Advance(TimeSpan.FromSeconds(1));
            await SampleRecord.RegisterAsync(client, "bob");
        }

        var items = (await GetAsync(_admin, "/admin/v1/clients")).GetProperty("items");

        Assert.Equal(2, items.GetArrayLength());
        Assert.Equal(ticket.Part.Client.Value, items[0].GetProperty("id").GetGuid());
        Assert.Equal("Alice", items[0].GetProperty("name").GetString());
        Assert.Equal("2026-03-02T08:00:00Z", items[0].GetProperty("createdAt").GetString());
        Assert.Equal(messages.Registered.Server.Value, items[0].GetProperty("homeServerId").GetGuid());
        Assert.Equal(2, items[0].GetProperty("devices").GetInt32());
        Assert.Equal("bob", items[1].GetProperty("name").GetString());
        Assert.Equal(JsonValueKind.Null, items[1].GetProperty("homeServerId").ValueKind);
        Assert.Equal(0, items[1].GetProperty("devices").GetInt32());
    }

    [Fact]
    public async Task A_session_is_listed_also_when_it_is_revoked()
    {
        var (account, ticket, client) = await _server.SignUpAsync("alice");
        await using (client)
        {
            _server.Time.Advance(TimeSpan.FromSeconds(1));
            await client.LoginAsync(account);
            await client.RequestAsync<Done>(new LogoutRequest(Everywhere: false));
        }

        var items = (await GetAsync(_admin, "/admin/v1/sessions")).GetProperty("items");

        Assert.Equal(2, items.GetArrayLength());
        Assert.Equal(ticket.Part.Session.Value, items[0].GetProperty("id").GetGuid());
        Assert.Equal(ticket.Part.Client.Value, items[0].GetProperty("clientId").GetGuid());
        Assert.Equal(account.Device.Id.Value, items[0].GetProperty("deviceId").GetGuid());
        Assert.Equal("127.0.0.1", items[0].GetProperty("address").GetString());
        Assert.Equal("2026-03-02T18:00:00Z", items[0].GetProperty("expiresAt").GetString());
        Assert.Equal("2026-03-09T08:00:00Z", items[0].GetProperty("renewableUntil").GetString());
        Assert.Equal(JsonValueKind.Null, items[0].GetProperty("revokedAt").ValueKind);
        Assert.Equal("2026-03-02T08:00:01Z", items[1].GetProperty("revokedAt").GetString());
        Assert.Equal("logout", items[1].GetProperty("revokedReason").GetString());
    }

    [Fact]
    public async Task A_message_server_is_listed_without_its_key()
    {
        var messages = await _server.EnrolAsync("msg-1");

        var text = await _admin.GetStringAsync("/admin/v1/servers", Cancel);

        var item = JsonDocument.Parse(text).RootElement.GetProperty("items")[0];
        Assert.Equal(messages.Registered.Server.Value, item.GetProperty("id").GetGuid());
        Assert.Equal("msg-1", item.GetProperty("name").GetString());
        Assert.Equal("msg.example", item.GetProperty("host").GetString());
        Assert.Equal(1257, item.GetProperty("port").GetInt32());
        Assert.Equal(1, item.GetProperty("keyVersion").GetInt32());
        Assert.DoesNotContain(Convert.ToBase64String(messages.ServiceKey), text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Paging_visits_each_client_once_whatever_is_registered_in_between()
    {
        // Ten share each time, so that only the identifier tells them apart.
        await using var client = await _server.ConnectAsync();
        var names = new List<string>();
        for (var i = 0; i < 120; i++)
        {
            await RegisterAsync($"client-{i}");
        }

        foreach (var limit in new[] { 1, 7, 40, 120, 200 })
        {
            var seen = new List<(DateTimeOffset CreatedAt, string Name)>();
            string? cursor = null;
            do
            {
                var page = await GetAsync(_admin, $"/admin/v1/clients?limit={limit}{(cursor is null ? "" : $"&cursor={cursor}")}");
                if (cursor is null && limit < names.Count)
                {
                    await RegisterAsync($"late-{limit}");
                }

                var items = page.GetProperty("items");
                Assert.InRange(items.GetArrayLength(), 1, limit);
                seen.AddRange(items.EnumerateArray().Select(static item =>
                    (item.GetProperty("createdAt").GetDateTimeOffset(), item.GetProperty("name").GetString()!)));
                cursor = page.GetProperty("next").GetString();
                Assert.True(cursor is null || items.GetArrayLength() == limit);
            }
            while (cursor is not null);

            Assert.Equal(names.Order(), seen.Select(static row => row.Name).Order());
            Assert.Equal(seen.Select(static row => row.CreatedAt).Order(), seen.Select(static row => row.CreatedAt));
        }

        async Task RegisterAsync(string name)
        {
            if (names.Count % 10 == 0)
            {
                _server.Time.Advance(TimeSpan.FromMilliseconds(1));
            }

            names.Add(name);
            await SampleRecord.RegisterAsync(client, name);
        }
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("cursor=nonsense", "cursor")]
    public async Task A_wrong_page_is_a_problem_that_names_the_field(string query, string field)
    {
        foreach (var list in Lists)
        {
            using var response = await _admin.GetAsync($"{list}?{query}", Cancel);
            var problem = await AssertProblemAsync(response, HttpStatusCode.BadRequest);
            Assert.True(problem.GetProperty("errors").TryGetProperty(field, out _), list);
        }
    }

    [Fact]
    public async Task An_enrolment_token_is_made_and_enrols()
    {
        using var response = await _admin.PostAsync("/admin/v1/enrolment-tokens", content: null, Cancel);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var made = await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Equal("2026-03-03T08:00:00Z", made.GetProperty("expiresAt").GetString());
        await using var client = await _server.ConnectAsync();
        await TestMessageServer.EnrolAsync(client, made.GetProperty("token").GetString()!, "msg-1");
        Assert.Equal("msg-1", (await GetAsync(_admin, "/admin/v1/servers")).GetProperty("items")[0].GetProperty("name").GetString());
    }

    private static async Task<JsonElement> GetAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
    }

    private static async Task<JsonElement> AssertProblemAsync(HttpResponseMessage response, HttpStatusCode status)
    {
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        return problem;
    }
}
