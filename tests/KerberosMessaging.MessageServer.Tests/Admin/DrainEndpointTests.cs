using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KerberosMessaging.MessageServer.Tests.Admin;

public sealed class DrainEndpointTests : IAsyncLifetime
{
    private const string Path = "/admin/v1/drain";

    private TestServer _server = null!;
    private HttpClient _admin = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

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

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    [InlineData("DELETE")]
    public async Task It_needs_the_token(string method)
    {
        using var stranger = _server.Admin(withToken: false);
        using var request = new HttpRequestMessage(new HttpMethod(method), Path);
        using var response = await stranger.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("serving", await StateAsync());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    public async Task A_drain_sends_everybody_away_and_can_be_undone(string? body)
    {
        await using var client = await _server.SignInAsync(TestDevice.Of("bob"), Cancellation);
        await Until.TrueAsync(() => Ready().GetAwaiter().GetResult() == HttpStatusCode.OK, Cancellation);

        await PostAsync(body, HttpStatusCode.Accepted);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Ready());
        var notice = await client.NextNoticeAsync(Cancellation);
        Assert.Equal(NoticeKind.ShuttingDown, notice.Kind);
        Assert.InRange(notice.RetryAfterMilliseconds, 1000u, 2000u);
        await client.Connection.Ended;
        await Until.TrueAsync(() => StateAsync().GetAwaiter().GetResult() == "drained", Cancellation);
        var e = await Assert.ThrowsAsync<ChannelException>(() => _server.ConnectAsync(Cancellation));
        Assert.Equal(ProtocolError.Overloaded, e.PeerError);

        using var undone = await _admin.DeleteAsync(Path, Cancellation);
        Assert.Equal(HttpStatusCode.OK, undone.StatusCode);
        Assert.Equal("serving", await StateAsync());
        Assert.Equal(HttpStatusCode.OK, await Ready());
        await using var again = await _server.SignInAsync(TestDevice.Of("bob"), Cancellation);
    }

    [Fact]
    public async Task Clients_are_told_the_time_that_was_asked_for()
    {
        await using var client = await _server.SignInAsync(TestDevice.Of("bob"), Cancellation);

        await PostAsync("""{"retryAfterSeconds": 100, "graceSeconds": 1}""", HttpStatusCode.Accepted);

        Assert.InRange((await client.NextNoticeAsync(Cancellation)).RetryAfterMilliseconds, 100_000u, 200_000u);
    }

    [Fact]
    public async Task It_stops_the_process_if_it_is_told_to()
    {
        var lifetime = _server.App.Services.GetRequiredService<IHostApplicationLifetime>();

        await PostAsync("""{"stop": true}""", HttpStatusCode.Accepted);

        await Until.TrueAsync(() => lifetime.ApplicationStopping.IsCancellationRequested, Cancellation);
        using var undo = await _admin.DeleteAsync(Path, Cancellation);
        Assert.Equal(HttpStatusCode.Conflict, undo.StatusCode);
    }

    [Theory]
    [InlineData("""{"graceSeconds": -1}""")]
    [InlineData("""{"graceSeconds": 301}""")]
    [InlineData("""{"retryAfterSeconds": 0}""")]
    [InlineData("""{"retryAfterSeconds": "soon"}""")]
    public async Task Wrong_times_are_refused(string body)
    {
        await PostAsync(body, HttpStatusCode.BadRequest);
        Assert.Equal("serving", await StateAsync());
    }

    [Fact]
    public async Task It_is_documented()
    {
        var document = await _admin.GetFromJsonAsync<JsonElement>("/swagger/v1/swagger.json", Cancellation);
        var operations = document.GetProperty("paths").GetProperty(Path);
        foreach (var method in new[] { "get", "post", "delete" })
        {
            Assert.NotEmpty(operations.GetProperty(method).GetProperty("summary").GetString()!);
            Assert.True(operations.GetProperty(method).GetProperty("security").GetArrayLength() > 0);
        }

        Assert.False(
            operations.GetProperty("post").GetProperty("requestBody").TryGetProperty("required", out var required) && required.GetBoolean());
        foreach (var schema in new[] { "DrainRequest", "DrainView" })
        {
            Assert.All(document.GetProperty("components").GetProperty("schemas").GetProperty(schema).GetProperty("properties").EnumerateObject(), static property =>
                Assert.True(property.Value.TryGetProperty("description", out _), property.Name));
        }
    }

    private async Task PostAsync(string? body, HttpStatusCode expected)
    {
        using var content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await _admin.PostAsync(Path, content, Cancellation);
        Assert.Equal(expected, response.StatusCode);
    }

    private async Task<string?> StateAsync() =>
        (await _admin.GetFromJsonAsync<JsonElement>(Path, Cancellation)).GetProperty("state").GetString();

    private async Task<HttpStatusCode> Ready()
    {
        using var response = await _admin.GetAsync("/health/ready", Cancellation);
        return response.StatusCode;
    }
}
