using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using KerberosMessaging.MessageServer.Tests.Support;

namespace KerberosMessaging.MessageServer.Tests.Admin;

public sealed class AdminEndpointTests : IAsyncLifetime
{
    private TestServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("/admin/v1/connections")]
    [InlineData("/admin/v1/queues")]
    [InlineData("/admin/v1/blobs/stats")]
    public async Task Lists_need_the_token(string path)
    {
        using var admin = _server.Admin(withToken: false);
        using var response = await admin.GetAsync(path, Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    [Theory]
    [InlineData("/admin/v1/connections?limit=0")]
    [InlineData("/admin/v1/queues?cursor=nonsense")]
    public async Task Wrong_pages_are_refused(string path)
    {
        using var admin = _server.Admin();
        using var response = await admin.GetAsync(path, Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Connections_show_who_is_there_and_how_much_they_take()
    {
        var bob = TestDevice.Of("bob");
        await using var receiving = await _server.SignInAsync(bob, Cancellation);
        await receiving.GrantAsync(7, Cancellation);
        await using var stranger = await _server.ConnectAsync(Cancellation);

        var items = await ListAsync("/admin/v1/connections", limit: 50);
        var known = items.Single(static item => item.GetProperty("clientName").ValueKind == JsonValueKind.String);
        Assert.Equal(receiving.Connection.Channel.Session.Value, known.GetProperty("sessionId").GetGuid());
        Assert.Equal("127.0.0.1", known.GetProperty("address").GetString());
        Assert.Equal("bob", known.GetProperty("clientName").GetString());
        Assert.Equal(bob.Client.Value, known.GetProperty("clientId").GetGuid());
        Assert.Equal(bob.Device.Value, known.GetProperty("deviceId").GetGuid());
        Assert.Equal(7, known.GetProperty("credit").GetInt32());
        Assert.True(known.GetProperty("ticketEndsAt").GetDateTimeOffset() > known.GetProperty("connectedAt").GetDateTimeOffset());

        var unknown = items.Single(static item => item.GetProperty("clientName").ValueKind == JsonValueKind.Null);
        Assert.Equal(stranger.Connection.Channel.Session.Value, unknown.GetProperty("sessionId").GetGuid());
        Assert.Equal(JsonValueKind.Null, unknown.GetProperty("credit").ValueKind);
    }

    [Fact]
    public async Task Credit_is_capped()
    {
        await using var receiving = await _server.SignInAsync(TestDevice.Of("bob"), Cancellation);
        await receiving.GrantAsync(uint.MaxValue, Cancellation);
        await receiving.GrantAsync(uint.MaxValue, Cancellation);
        Assert.Equal(1000, Assert.Single(await ListAsync("/admin/v1/connections", limit: 50)).GetProperty("credit").GetInt32());
    }

    [Fact]
    public async Task Queues_show_what_waits()
    {
        var bob = TestDevice.Of("bob");
        await using (await _server.SignInAsync(bob, Cancellation))
        {
        }

        await using var alice = await _server.SignInAsync(TestDevice.Of("alice"), Cancellation);
        var envelope = TestEnvelope.Make();
        var accepted = await alice.SendAsync(bob, Cancellation, envelope);
        await alice.SendAsync(bob, Cancellation, envelope);

        var queues = await ListAsync("/admin/v1/queues", limit: 50);
        Assert.Equal(["alice", "bob"], queues.Select(static queue => queue.GetProperty("clientName").GetString()));
        var full = queues[1];
        Assert.Equal(bob.Client.Value, full.GetProperty("clientId").GetGuid());
        Assert.Equal(bob.Device.Value, full.GetProperty("deviceId").GetGuid());
        Assert.Equal(2, full.GetProperty("waiting").GetInt32());
        Assert.Equal(2 * envelope.Length, full.GetProperty("bytes").GetInt32());
        Assert.Equal(accepted.AcceptedAt, full.GetProperty("oldestAcceptedAt").GetDateTimeOffset());
        Assert.Equal(2, full.GetProperty("lastSequence").GetInt32());
        Assert.Equal(JsonValueKind.Null, queues[0].GetProperty("oldestAcceptedAt").ValueKind);
    }

    [Theory]
    [InlineData("/admin/v1/connections", "sessionId")]
    [InlineData("/admin/v1/queues", "deviceId")]
    public async Task Pages_hold_everything_once(string path, string key)
    {
        var clients = new List<TestClient>();
        for (var i = 0; i < 7; i++)
        {
            clients.Add(await _server.SignInAsync(TestDevice.Of($"client-{i % 3}"), Cancellation));
        }

        var whole = await ListAsync(path, limit: 50);
        var paged = await ListAsync(path, limit: 3);
        Assert.Equal(7, whole.Count);
        Assert.Equal(
            whole.Select(item => item.GetProperty(key).GetGuid()), paged.Select(item => item.GetProperty(key).GetGuid()));
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task An_enrolled_server_is_ready_as_soon_as_it_runs()
    {
        using var admin = _server.Admin(withToken: false);
        HttpStatusCode status;
        do
        {
            // The service that says so starts beside this request.
            using var response = await admin.GetAsync("/health/ready", Cancellation);
            status = response.StatusCode;
        }
        while (status == HttpStatusCode.ServiceUnavailable);

        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    public async Task Every_operation_and_property_is_documented()
    {
        using var admin = _server.Admin(withToken: false);
        var document = await admin.GetFromJsonAsync<JsonElement>("/swagger/v1/swagger.json", Cancellation);
        foreach (var path in new[] { "/admin/v1/connections", "/admin/v1/queues", "/admin/v1/blobs/stats" })
        {
            var operation = document.GetProperty("paths").GetProperty(path).GetProperty("get");
            Assert.NotEmpty(operation.GetProperty("summary").GetString()!);
            Assert.True(operation.GetProperty("security").GetArrayLength() > 0);
        }

        foreach (var schema in new[] { "ConnectionView", "QueueView", "BlobStatsView" })
        {
            Assert.All(document.GetProperty("components").GetProperty("schemas").GetProperty(schema).GetProperty("properties").EnumerateObject(), static property =>
            {
                Assert.True(property.Value.TryGetProperty("description", out _), property.Name);
                Assert.True(property.Value.TryGetProperty("examples", out _) || property.Value.TryGetProperty("example", out _), property.Name);
            });
        }
    }

    private async Task<List<JsonElement>> ListAsync(string path, int limit)
    {
        using var admin = _server.Admin();
        var items = new List<JsonElement>();
        for (var next = $"{path}?limit={limit}"; next is not null;)
        {
            var page = await admin.GetFromJsonAsync<JsonElement>(next, Cancellation);
            Assert.InRange(page.GetProperty("items").GetArrayLength(), 0, limit);
            items.AddRange(page.GetProperty("items").EnumerateArray());
            next = page.GetProperty("next").GetString() is { } cursor ? $"{path}?limit={limit}&cursor={cursor}" : null;
        }

        return items;
    }
}
