using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using KerberosMessaging.Hosting.Tests.Admin;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Tests.Admin;

/// <summary>What every operation of the admin API promises, held for each that the OpenAPI document names.</summary>
public sealed class AdminConventionTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _admin = null!;
    private OpenApiWalk _walk = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(time: null, "--Blobs:MinimumFreeDiskBytes=0");
        _admin = _server.Admin();
        _walk = await OpenApiWalk.StartAsync(_admin, TestServer.AdminToken);
    }

    public async ValueTask DisposeAsync()
    {
        _walk?.Dispose();
        _admin?.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public Task The_document_is_the_one_that_is_checked_in() => _walk.IsCheckedInAsync("openapi-message.json");

    [Fact]
    public void Every_operation_is_documented() => _walk.AreDocumented();

    [Fact]
    public Task No_operation_answers_without_a_token() => _walk.AreClosedWithoutATokenAsync();

    [Fact]
    public Task No_operation_answers_a_token_that_lacks_its_scope() => _walk.AreClosedToTokensThatLackTheScopeAsync();

    [Fact]
    public Task Bad_input_is_refused_by_the_name_of_the_field() => _walk.RefuseBadInputByNameAsync();

    [Fact]
    public Task Ids_of_nothing_are_not_found() => _walk.AnswerUnknownIdsWith404Async();

    [Fact]
    public async Task Changes_of_what_was_changed_meanwhile_are_refused()
    {
        var bob = TestDevice.Of("bob");
        await using var client = await _server.SignInAsync(bob, Cancellation);
        var content = RandomNumberGenerator.GetBytes(100);
        var blob = new BlobId(Guid.NewGuid());
        await client.Connection.RequestAsync<BlobState>(new StartBlobRequest(blob, content.Length, SHA256.HashData(content), 0), Cancellation);
        await client.Connection.RequestAsync<BlobState>(new WriteBlobRequest(blob, 0, content), Cancellation);

        var limit = $"limits/clients/{bob.Client.Value}";
        using var limited = await _admin.PutAsJsonAsync($"/admin/v1/{limit}", new { requestsPerSecond = 1000, burst = 1000, minutes = 60 }, Cancellation);
        Assert.Equal(HttpStatusCode.OK, limited.StatusCode);

        // Of nothing: all of it is younger.
        using var job = await _admin.PostAsJsonAsync("/admin/v1/queues/expire", new { olderThanSeconds = 3600 }, Cancellation);
        Assert.Equal(HttpStatusCode.Accepted, job.StatusCode);
        await _walk.RefuseStaleChangesAsync(new Dictionary<string, string>
        {
            ["connections/{sessionId}"] = $"connections/{client.Connection.Channel.Session.Value}",
            ["queues/{deviceId}"] = $"queues/{bob.Device.Value}",
            ["limits/clients/{clientId}"] = limit,
            ["blobs/{handle}"] = $"blobs/{(await GetAsync("/blobs")).GetProperty("items")[0].GetProperty("handle").GetGuid()}",
            ["tokens/{id}"] = $"tokens/{(await GetAsync("/tokens/self")).GetProperty("id").GetGuid()}",
            ["jobs/{id}"] = $"jobs/{(await job.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetGuid()}",
        });
    }

    private Task<JsonElement> GetAsync(string path) => _admin.GetFromJsonAsync<JsonElement>($"/admin/v1{path}", Cancellation);
}
