using System.Net;
using System.Text.Json;
using KerberosMessaging.AuthServer.Tests.Support;

namespace KerberosMessaging.AuthServer.Tests.Admin;

/// <summary>What an admin changes is what the admin has seen.</summary>
public sealed class PreconditionTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _admin = null!;
    private TestMessageServer _messages = null!;
    private QuickAccount _account = null!;
    private TestTicket _ticket = null!;
    private TestClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Client => $"/clients/{_account.Client.Value}";

    private string Server => $"/servers/{_messages.Registered.Server.Value}";

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _admin = _server.Admin();
        _messages = await _server.EnrolAsync();
        (_account, _ticket, _client) = await _server.SignUpQuickAsync("alice");
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Each_change_is_refused_to_whoever_saw_another_state_and_made_for_whoever_saw_this_one()
    {
        await using (var guesser = await _server.ConnectAsync())
        {
            await guesser.FailToLogInAsync("alice");
        }

        var invite = (await _admin.MakeAsync("/invites")).Id();
        var lockout = (await _admin.ListAsync($"/lockouts?client={_account.Client.Value}"))[0].Id();
        var session = $"/sessions/{_ticket.Part.Session.Value}";
        var device = $"{Client}/devices/{(await _admin.ListAsync($"{Client}/devices"))[0].Id()}";
        (HttpMethod Method, string Path, string Resource, HttpStatusCode Status)[] changes =
        [
            (HttpMethod.Post, $"{session}/revoke", session, HttpStatusCode.NoContent),
            (HttpMethod.Post, $"{Client}/sessions/revoke", Client, HttpStatusCode.NoContent),
            (HttpMethod.Delete, device, device, HttpStatusCode.NoContent),
            (HttpMethod.Delete, $"/one-time-tokens/{invite}", $"/one-time-tokens/{invite}", HttpStatusCode.NoContent),
            (HttpMethod.Delete, $"/lockouts/{lockout}", $"/lockouts/{lockout}", HttpStatusCode.NoContent),
            (HttpMethod.Post, $"{Client}/reset-token", Client, HttpStatusCode.Created),
            (HttpMethod.Post, $"{Client}/disable", Client, HttpStatusCode.NoContent),
            (HttpMethod.Post, $"{Client}/enable", Client, HttpStatusCode.NoContent),
            (HttpMethod.Delete, Client, Client, HttpStatusCode.NoContent),
            (HttpMethod.Post, $"{Server}/enrolment-token", Server, HttpStatusCode.Created),
            (HttpMethod.Post, $"{Server}/rotate-key", Server, HttpStatusCode.NoContent),
            (HttpMethod.Post, $"{Server}/disable", Server, HttpStatusCode.NoContent),
            (HttpMethod.Post, $"{Server}/enable", Server, HttpStatusCode.NoContent),
            (HttpMethod.Post, "/keys/ticket/rotate", "/keys/ticket", HttpStatusCode.OK),
            (HttpMethod.Post, "/keys/ticket-signing/rotate", "/keys/ticket-signing", HttpStatusCode.OK),
            (HttpMethod.Post, "/keys/opaque/rotate", "/keys/opaque", HttpStatusCode.OK),
        ];
        foreach (var (method, path, resource, status) in changes)
        {
            var (tag, events) = (await TagAsync(resource), (await _server.AuditAsync()).Count);

            using (var stale = await SendAsync(method, path, "\"another\""))
            {
                Assert.True(stale.StatusCode == HttpStatusCode.PreconditionFailed, $"{method} {path}: {stale.StatusCode}");
                var problem = JsonSerializer.Deserialize<JsonElement>(await stale.Content.ReadAsStringAsync(Cancel));
                Assert.Equal("precondition_failed", problem.Text("code"));
            }

            Assert.Equal((tag, events), (await TagAsync(resource), (await _server.AuditAsync()).Count));

            using var made = await SendAsync(method, path, $"\"another\", {tag}");
            Assert.True(made.StatusCode == status, $"{method} {path}: {made.StatusCode}");
            Assert.InRange((await _server.AuditAsync()).Count, events + 1, int.MaxValue);
        }
    }

    [Fact]
    public async Task A_tag_is_of_what_admins_change_and_not_of_what_the_client_does()
    {
        var tag = await TagAsync(Client);
        _server.Time.Advance(TimeSpan.FromHours(1));
        await _account.LoginAsync(_client);
        Assert.Equal(tag, await TagAsync(Client));

        await _admin.ChangeAsync($"{Client}/disable");
        var disabled = await TagAsync(Client);
        Assert.NotEqual(tag, disabled);
        await _admin.ChangeAsync($"{Client}/enable");
        Assert.Equal(tag, await TagAsync(Client));
    }

    [Fact]
    public async Task Of_two_admins_who_saw_the_same_one_changes_it()
    {
        var tag = await TagAsync("/keys/ticket");

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SendAsync(HttpMethod.Post, "/keys/ticket/rotate", tag)));

        Assert.Single(answers, static answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.Equal(7, answers.Count(static answer => answer.StatusCode == HttpStatusCode.PreconditionFailed));
        Assert.Equal(2, (await _admin.ReadAsync("/keys/ticket")).GetProperty("version").GetInt32());
        Array.ForEach(answers, static answer => answer.Dispose());
    }

    [Theory]
    [InlineData("/clients/7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97")]
    [InlineData("/clients/7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97/devices/7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97")]
    [InlineData("/sessions/7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97")]
    [InlineData("/one-time-tokens/7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97")]
    [InlineData("/lockouts/7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97")]
    [InlineData("/servers/7d3e9a52-04bf-4c18-9e61-2f8a5b0c6d97")]
    [InlineData("/keys/master")]
    public Task What_there_is_not_is_not_found(string path) => _admin.ProblemAsync(HttpMethod.Get, path, HttpStatusCode.NotFound);

    [Fact]
    public async Task One_is_shown_as_the_list_shows_it()
    {
        await _admin.MakeAsync("/invites");
        foreach (var list in new[] { "/sessions", "/servers", "/one-time-tokens", $"{Client}/devices" })
        {
            var listed = (await _admin.ListAsync(list))[0];
            Assert.Equal(listed.GetRawText(), (await _admin.ReadAsync($"{list}/{listed.Id()}")).GetRawText());
        }

        var key = await _admin.ReadAsync("/keys/audit");
        Assert.Equal((1, 1), (key.GetProperty("version").GetInt32(), key.GetProperty("versions").GetArrayLength()));
    }

    private async Task<string> TagAsync(string path)
    {
        using var response = await _admin.GetAsync($"/admin/v1{path}", Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.ETag!.IsWeak);
        return response.Headers.ETag.Tag;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string ifMatch)
    {
        using var request = new HttpRequestMessage(method, $"/admin/v1{path}");
        request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        return await _admin.SendAsync(request, Cancel);
    }
}
