using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.MessageServer.Tests.Admin;

/// <summary>What admins do to a running server, over its own port.</summary>
public sealed class AdministrationTests : IAsyncLifetime
{
    private const string Base = "/admin/v1";

    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private TestServer _server = null!;
    private HttpClient _admin = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(time: null, "--Blobs:MinimumFreeDiskBytes=0");
        _admin = _server.Admin();
    }

    public async ValueTask DisposeAsync()
    {
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Connections_are_found_by_client_state_and_address()
    {
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await using var stranger = await _server.ConnectAsync(Cancellation);

        Assert.Equal([IdOf(bob)], await SessionsAsync($"client={_bob.Client.Value}"));
        Assert.Equal([IdOf(alice)], await SessionsAsync("client=alice"));
        Assert.Empty(await SessionsAsync("client=Alice"));
        Assert.Equal([IdOf(stranger)], await SessionsAsync("signedIn=false"));
        Assert.Equal(2, (await SessionsAsync("signedIn=true&address=127.0.0.1")).Count);
        Assert.Empty(await SessionsAsync("address=192.0.2.7"));
        await AssertFieldAsync("/connections?address=nowhere", "address");

        Assert.Equal("bob", (await GetAsync($"/connections/{IdOf(bob)}")).GetProperty("clientName").GetString());
        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(HttpMethod.Get, $"/connections/{Guid.NewGuid()}"));
    }

    [Fact]
    public async Task A_kicked_connection_ends_politely_and_comes_back()
    {
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        var path = $"/connections/{IdOf(bob)}";
        Assert.Equal(HttpStatusCode.PreconditionFailed, await SendAsync(HttpMethod.Post, $"{path}/kick", ifMatch: "\"other\""));
        Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(HttpMethod.Post, $"{path}/kick", new { retryAfterSeconds = 0 }));
        Assert.Equal(
            HttpStatusCode.NoContent,
            await SendAsync(HttpMethod.Post, $"{path}/kick", new { reason = "testing", retryAfterSeconds = 7 }, await TagAsync(path)));

        Assert.Equal(new Notice(NoticeKind.ShuttingDown, 7000), await bob.NextNoticeAsync(Cancellation));
        await bob.Connection.Ended;
        await Until.TrueAsync(async () => await SendAsync(HttpMethod.Get, path) == HttpStatusCode.NotFound, Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(HttpMethod.Post, $"{path}/kick"));
        await using var again = await _server.SignInAsync(_bob, Cancellation);
        Assert.Equal(0ul, (await again.GrantAsync(1, Cancellation)).NewestWaiting);
        Assert.Contains(
            (await GetAsync("/audit?limit=200")).GetProperty("items").EnumerateArray(),
            row => row.GetRawText().Contains($"connection {IdOf(bob)}", StringComparison.Ordinal)
                && row.GetRawText().Contains("testing", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_kicked_connection_that_never_reads_ends_all_the_same()
    {
        await using var stranger = await _server.ConnectAsync(Cancellation);
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync(HttpMethod.Post, $"/connections/{IdOf(stranger)}/kick"));
        await stranger.Connection.Ended.WaitAsync(Until.Deadline, Cancellation);
    }

    [Fact]
    public async Task The_fullest_mailboxes_come_first()
    {
        await using var alice = await FillAsync();
        var carol = TestDevice.Of("carol");
        await (await _server.SignInAsync(carol, Cancellation)).DisposeAsync();
        await alice.SendAsync(carol, Cancellation, TestEnvelope.Make(blocks: 500));

        Assert.Equal(["bob", "carol"], await NamesAsync("sort=-depth"));
        Assert.Equal(["carol", "bob"], await NamesAsync("sort=-bytes"));
        Assert.Equal(["carol"], await NamesAsync("sort=-bytes&limit=1"));
        await Until.TrueAsync(async () => (await NamesAsync("sort=-age")) is ["bob", "carol"], Cancellation);
        Assert.Equal(["bob"], await NamesAsync($"client={_bob.Client.Value}"));
        Assert.Equal(["alice"], await NamesAsync("client=alice&sort=-age"));
        await AssertFieldAsync("/queues?sort=depth", "sort");
        var cursor = (await GetAsync("/queues?limit=1")).GetProperty("next").GetString();
        await AssertFieldAsync($"/queues?sort=-depth&cursor={cursor}", "cursor");
    }

    [Fact]
    public async Task A_mailbox_shows_numbers_and_no_ids_of_messages()
    {
        await using var alice = await FillAsync(4);
        var path = $"/queues/{_bob.Device.Value}";
        var away = await GetAsync(path);
        Assert.Equal((4, 4, 0), (away.GetProperty("waiting").GetInt32(), away.GetProperty("newestSequence").GetInt32(), away.GetProperty("acknowledgedThrough").GetInt32()));
        Assert.False(away.GetProperty("isConnected").GetBoolean());

        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await bob.GrantAsync(10, Cancellation);
        await bob.NextDeliveriesAsync(4, Cancellation);
        await bob.AcknowledgeAsync(1, 2, Cancellation);
        var here = await GetAsync(path);
        Assert.Equal((2, 2), (here.GetProperty("waiting").GetInt32(), here.GetProperty("acknowledgedThrough").GetInt32()));
        Assert.True(here.GetProperty("isConnected").GetBoolean());
        Assert.Equal(IdOf(bob), here.GetProperty("sessionId").GetGuid());
        Assert.Equal(6, here.GetProperty("credit").GetInt32());
        await bob.AcknowledgeAsync(3, 4, Cancellation);
        Assert.Equal(JsonValueKind.Null, (await GetAsync(path)).GetProperty("acknowledgedThrough").ValueKind);
        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(HttpMethod.Get, $"/queues/{Guid.NewGuid()}"));
    }

    [Fact]
    public async Task A_device_id_that_two_clients_have_needs_the_client_too()
    {
        var mallory = _bob with { Client = ClientId.New(), Name = "mallory" };
        await (await _server.SignInAsync(_bob, Cancellation)).DisposeAsync();
        await (await _server.SignInAsync(mallory, Cancellation)).DisposeAsync();
        var path = $"/queues/{_bob.Device.Value}";
        Assert.Equal(HttpStatusCode.Conflict, await SendAsync(HttpMethod.Get, path));
        Assert.Equal(HttpStatusCode.Conflict, await SendAsync(HttpMethod.Post, $"{path}/purge"));
        Assert.Equal("mallory", (await GetAsync($"{path}?client={mallory.Client.Value}")).GetProperty("clientName").GetString());
        Assert.Equal(HttpStatusCode.Conflict, await SendAsync(HttpMethod.Get, $"/prekeys/{_bob.Device.Value}"));
    }

    [Fact]
    public async Task A_mailbox_is_purged_as_a_job()
    {
        await using var alice = await FillAsync(5);
        var path = $"/queues/{_bob.Device.Value}";
        Assert.Equal(HttpStatusCode.PreconditionFailed, await SendAsync(HttpMethod.Post, $"{path}/purge", ifMatch: "\"other\""));
        Assert.Equal(5, (await GetAsync(path)).GetProperty("waiting").GetInt32());

        var job = await RunJobAsync($"{path}/purge", null, await TagAsync(path));
        Assert.Equal(("done", 5, "purge"), (job.GetProperty("state").GetString(), job.GetProperty("done").GetInt32(), job.GetProperty("kind").GetString()));
        Assert.Equal(0, (await GetAsync(path)).GetProperty("waiting").GetInt32());

        // What comes later is delivered as ever.
        await alice.SendAsync(_bob, Cancellation);
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await bob.GrantAsync(10, Cancellation);
        Assert.Equal(6ul, (await bob.NextDeliveryAsync(Cancellation)).Sequence);
        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(HttpMethod.Post, $"/queues/{Guid.NewGuid()}/purge"));
    }

    [Fact]
    public async Task Only_old_messages_expire()
    {
        await using var alice = await FillAsync(3);
        var path = $"/queues/{_bob.Device.Value}";
        Assert.Equal(0, (await RunJobAsync($"{path}/expire", new { olderThanSeconds = 3600 })).GetProperty("done").GetInt32());
        Assert.Equal(0, (await RunJobAsync("/queues/expire", new { olderThanSeconds = 3600 })).GetProperty("done").GetInt32());
        Assert.Equal(3, (await GetAsync(path)).GetProperty("waiting").GetInt32());
        Assert.Equal(3, (await RunJobAsync("/queues/expire", new { olderThanSeconds = 0 })).GetProperty("done").GetInt32());
        Assert.Equal(0, (await GetAsync(path)).GetProperty("waiting").GetInt32());
        Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(HttpMethod.Post, "/queues/expire", new { olderThanSeconds = -1 }));
        Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(HttpMethod.Post, "/queues/expire", new { }));
        Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(HttpMethod.Post, $"{path}/expire"));
    }

    [Fact]
    public async Task Blobs_are_listed_and_deleted_by_handles_that_open_nothing()
    {
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        BlobId[] ids = [await UploadAsync(alice), await UploadAsync(bob), await UploadAsync(alice)];

        var all = (await GetAsync("/blobs")).GetProperty("items").EnumerateArray().ToArray();
        Assert.Equal(3, all.Length);
        Assert.Equal([100, 100, 100], all.Select(static blob => blob.GetProperty("bytes").GetInt32()));
        Assert.DoesNotContain(ids, id => all.Any(blob => blob.GetRawText().Contains(id.Value.ToString(), StringComparison.OrdinalIgnoreCase)));
        var handle = all[0].GetProperty("handle").GetGuid();
        var refused = await Assert.ThrowsAsync<RequestRefusedException>(
            () => bob.Connection.RequestAsync<BlobData>(new ReadBlobRequest(new BlobId(handle), 0, 10), Cancellation));
        Assert.Equal(ProtocolError.UnknownBlob, refused.Error);

        Assert.Equal(2, await CountAsync($"client={_alice.Client.Value}"));
        Assert.Equal(0, await CountAsync("olderThanSeconds=3600"));
        Assert.Equal(3, await CountAsync("olderThanSeconds=0"));
        await AssertFieldAsync("/blobs?olderThanSeconds=-1", "olderThanSeconds");
        var first = await GetAsync("/blobs?limit=2");
        var second = await GetAsync($"/blobs?limit=2&cursor={first.GetProperty("next").GetString()}");
        Assert.Equal(
            all.Select(static blob => blob.GetProperty("handle").GetGuid()),
            first.GetProperty("items").EnumerateArray().Concat(second.GetProperty("items").EnumerateArray()).Select(static blob => blob.GetProperty("handle").GetGuid()));

        Assert.Equal(HttpStatusCode.PreconditionFailed, await SendAsync(HttpMethod.Delete, $"/blobs/{handle}", ifMatch: "\"other\""));
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync(HttpMethod.Delete, $"/blobs/{handle}", ifMatch: await TagAsync($"/blobs/{handle}")));
        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(HttpMethod.Delete, $"/blobs/{handle}"));
        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(HttpMethod.Get, $"/blobs/{handle}"));
        await Assert.ThrowsAsync<RequestRefusedException>(
            () => bob.Connection.RequestAsync<BlobData>(new ReadBlobRequest(ids[0], 0, 10), Cancellation));

        Assert.Equal(0, (await RunJobAsync("/blobs/expire", new { olderThanSeconds = 3600 })).GetProperty("done").GetInt32());
        Assert.Equal(2, (await RunJobAsync("/blobs/expire", new { olderThanSeconds = 0 })).GetProperty("done").GetInt32());
        Assert.Equal(0, await CountAsync(""));
        Assert.Empty(Directory.GetFiles(Path.Combine(_server.Folder, "blobs"), "*", SearchOption.AllDirectories));

        async Task<int> CountAsync(string query) => (await GetAsync($"/blobs?{query}")).GetProperty("items").GetArrayLength();
    }

    [Fact]
    public async Task Devices_with_few_prekeys_are_found()
    {
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await bob.Connection.RequestAsync<PrekeyStatus>(new UploadPrekeysRequest([1], 0, TestPrekey.Pairs(1, 30)), Cancellation);
        await alice.Connection.RequestAsync<PrekeyStatus>(new UploadPrekeysRequest([1], 0, TestPrekey.Pairs(1, 5)), Cancellation);

        Assert.Equal(["alice"], await LowAsync());
        var stock = await GetAsync($"/prekeys/{_bob.Device.Value}");
        Assert.Equal((30, 30, false), (stock.GetProperty("x25519").GetInt32(), stock.GetProperty("mlKem768").GetInt32(), stock.GetProperty("isLow").GetBoolean()));
        Assert.InRange(stock.GetProperty("uploadedAt").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddMinutes(-10), DateTimeOffset.UtcNow);
        var pages = await GetAsync("/prekeys?limit=1");
        Assert.Equal("alice", pages.GetProperty("items")[0].GetProperty("clientName").GetString());
        var next = await GetAsync($"/prekeys?limit=1&cursor={pages.GetProperty("next").GetString()}");
        Assert.Equal("bob", next.GetProperty("items")[0].GetProperty("clientName").GetString());
        Assert.Equal(JsonValueKind.Null, next.GetProperty("next").ValueKind);
        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(HttpMethod.Get, $"/prekeys/{Guid.NewGuid()}"));

        async Task<IEnumerable<string?>> LowAsync() => (await GetAsync("/prekeys?low=true")).GetProperty("items").EnumerateArray()
            .Select(static row => row.GetProperty("clientName").GetString());
    }

    [Fact]
    public async Task A_clients_own_limit_holds_at_once_and_over_a_restart_until_it_is_taken_away()
    {
        var path = $"/limits/clients/{_bob.Client.Value}";
        await using (var bob = await _server.SignInAsync(_bob, Cancellation))
        {
            Assert.Equal(HttpStatusCode.NotFound, await SendAsync(HttpMethod.Get, path));
            Assert.Equal(HttpStatusCode.PreconditionFailed, await SendAsync(HttpMethod.Put, path, Limit(1, 3), "\"other\""));
            Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(HttpMethod.Put, path, Limit(0, 3)));
            Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(HttpMethod.Put, path, new { burst = 3 }));
            Assert.Equal(HttpStatusCode.OK, await SendAsync(HttpMethod.Put, path, Limit(1, 3)));
            await AssertLimitedAsync(bob);
        }

        await using (var alice = await _server.SignInAsync(_alice, Cancellation))
        {
            await AskAsync(alice);
        }

        _admin.Dispose();
        await _server.StopAsync();
        await _server.StartAgainAsync();
        _admin = _server.Admin();
        Assert.Equal(3, (await GetAsync(path)).GetProperty("burst").GetInt32());
        var item = Assert.Single((await GetAsync("/limits/clients")).GetProperty("items").EnumerateArray());
        Assert.InRange(item.GetProperty("expiresAt").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddMinutes(50), DateTimeOffset.UtcNow.AddMinutes(61));
        var tag = await TagAsync(path);
        Assert.Equal(HttpStatusCode.OK, await SendAsync(HttpMethod.Put, path, Limit(1, 4), tag));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await SendAsync(HttpMethod.Delete, path, ifMatch: tag));
        await using var again = await _server.SignInAsync(_bob, Cancellation);
        await AssertLimitedAsync(again);

        Assert.Equal(HttpStatusCode.NoContent, await SendAsync(HttpMethod.Delete, path, ifMatch: await TagAsync(path)));
        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(HttpMethod.Delete, path));
        await AskAsync(again);

        static object Limit(int perSecond, int burst) => new { requestsPerSecond = perSecond, burst, minutes = 60 };
    }

    [Fact]
    public async Task The_figures_agree_with_what_went_through()
    {
        await using var alice = await FillAsync(3);
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await bob.GrantAsync(10, Cancellation);
        await bob.NextDeliveriesAsync(3, Cancellation);
        await bob.AcknowledgeAsync(1, 1, Cancellation);
        await UploadAsync(bob);

        await Until.TrueAsync(async () => (await GetAsync("/stats")).GetProperty("blobs").GetInt32() == 1, Cancellation);
        var stats = await GetAsync("/stats");
        Assert.Equal((2, 2), (stats.GetProperty("connections").GetInt32(), stats.GetProperty("signedIn").GetInt32()));
        Assert.Equal((3, 1), (stats.GetProperty("messagesAccepted").GetInt32(), stats.GetProperty("messagesDelivered").GetInt32()));
        Assert.Equal((2, 2), (stats.GetProperty("mailboxes").GetInt32(), stats.GetProperty("queueDepth").GetInt32()));
        Assert.Equal(2 * TestEnvelope.Make().Length, stats.GetProperty("queueBytes").GetInt32());
        Assert.Equal(100, stats.GetProperty("blobBytes").GetInt32());
        Assert.True(stats.GetProperty("messagesPerSecond").GetDouble() >= 0);
        Assert.True(stats.GetProperty("databaseBytes").GetInt64() > 0);
        Assert.False(stats.GetProperty("authServerReachable").GetBoolean());
        Assert.InRange(stats.GetProperty("oldestMessageAt").GetDateTimeOffset(), stats.GetProperty("startedAt").GetDateTimeOffset(), DateTimeOffset.UtcNow);
        Assert.NotEmpty(stats.GetProperty("version").GetString()!);
    }

    private static Guid IdOf(TestClient client) => client.Connection.Channel.Session.Value;

    private async Task<TestClient> FillAsync(int messages = 2)
    {
        await (await _server.SignInAsync(_bob, Cancellation)).DisposeAsync();
        await Until.TrueAsync(async () => (await SessionsAsync("client=bob")).Count == 0, Cancellation);
        var alice = await _server.SignInAsync(_alice, Cancellation);
        for (var i = 0; i < messages; i++)
        {
            await alice.SendAsync(_bob, Cancellation);
        }

        return alice;
    }

    private static async Task<BlobId> UploadAsync(TestClient client)
    {
        var content = RandomNumberGenerator.GetBytes(100);
        var id = new BlobId(Guid.NewGuid());
        await client.Connection.RequestAsync<BlobState>(new StartBlobRequest(id, content.Length, SHA256.HashData(content), 0), Cancellation);
        await client.Connection.RequestAsync<BlobState>(new WriteBlobRequest(id, 0, content), Cancellation);
        return id;
    }

    private static async Task AssertLimitedAsync(TestClient client)
    {
        var refused = await Assert.ThrowsAsync<RequestRefusedException>(() => AskAsync(client));
        Assert.Equal(ProtocolError.TooManyRequests, refused.Error);
    }

    private static async Task AskAsync(TestClient client)
    {
        for (var i = 0; i < 20; i++)
        {
            await client.Connection.RequestAsync<PrekeyStatus>(new PrekeyStatusRequest(), Cancellation);
        }
    }

    private async Task<JsonElement> GetAsync(string path) => await _admin.GetFromJsonAsync<JsonElement>(Base + path, Cancellation);

    private async Task<List<Guid>> SessionsAsync(string query) => [.. (await GetAsync($"/connections?{query}"))
        .GetProperty("items").EnumerateArray().Select(static item => item.GetProperty("sessionId").GetGuid())];

    private async Task<List<string?>> NamesAsync(string query) => [.. (await GetAsync($"/queues?{query}"))
        .GetProperty("items").EnumerateArray().Select(static item => item.GetProperty("clientName").GetString())];

    private async Task<string> TagAsync(string path)
    {
        using var response = await _admin.GetAsync(Base + path, Cancellation);
        return response.Headers.ETag!.ToString();
    }

    private async Task AssertFieldAsync(string path, string field)
    {
        using var response = await _admin.GetAsync(Base + path, Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        Assert.True(problem.GetProperty("errors").TryGetProperty(field, out _), problem.GetRawText());
    }

    private async Task<HttpStatusCode> SendAsync(HttpMethod method, string path, object? body = null, string? ifMatch = null)
    {
        using var response = await RequestAsync(method, path, body, ifMatch);
        return response.StatusCode;
    }

    private async Task<HttpResponseMessage> RequestAsync(HttpMethod method, string path, object? body, string? ifMatch)
    {
        using var request = new HttpRequestMessage(method, Base + path) { Content = body is null ? null : JsonContent.Create(body) };
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        return await _admin.SendAsync(request, Cancellation);
    }

    // Starts a job and waits for its end.
    private async Task<JsonElement> RunJobAsync(string path, object? body, string? ifMatch = null)
    {
        using var response = await RequestAsync(HttpMethod.Post, path, body, ifMatch);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        JsonElement job = default;
        await Until.TrueAsync(
            async () =>
            {
                job = await _admin.GetFromJsonAsync<JsonElement>(response.Headers.Location, Cancellation);
                return job.GetProperty("endedAt").ValueKind != JsonValueKind.Null;
            },
            Cancellation);
        return job;
    }
}
