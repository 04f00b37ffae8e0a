using System.Net;
using System.Text.Json;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Audit;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Hosting.Tests.Admin;

/// <summary>Tokens that admins make and revoke.</summary>
public sealed class AdminTokenEndpointTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly MemoryStore _store = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.Parse("2026-05-04T08:00:00Z", System.Globalization.CultureInfo.InvariantCulture));
    private AdminServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await AdminServer.StartSharedAsync(_folder, _store, _time);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(AdminRole.Viewer, "audit:read clients:read metrics:read queues:read")]
    [InlineData(AdminRole.Operator, "audit:read clients:read clients:write metrics:read ops queues:purge queues:read sessions:revoke")]
    [InlineData(
        AdminRole.Admin,
        "audit:read clients:read clients:write keys:rotate metrics:read ops queues:purge queues:read sessions:revoke tokens:manage")]
    public async Task A_role_has_its_scopes(AdminRole role, string scopes)
    {
        var (_, token) = await MakeAsync(new { name = "one", role = JsonNamingPolicy.CamelCase.ConvertName(role.ToString()) });

        var self = await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.OK, token: token);

        Assert.Equal(scopes, string.Join(' ', self.GetProperty("scopes").EnumerateArray().Select(static scope => scope.GetString()).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task A_token_opens_what_its_scopes_say_and_nothing_else()
    {
        var (_, token) = await MakeAsync(new { name = "jobs", scopes = new[] { "ops" } });

        await _server.CallAsync(HttpMethod.Get, "/jobs", HttpStatusCode.OK, token: token);
        Assert.Equal("forbidden", await _server.RefusalAsync(HttpMethod.Get, "/tokens", HttpStatusCode.Forbidden, token: token));
    }

    [Fact]
    public async Task The_store_and_the_audit_log_hold_no_token()
    {
        var (_, token) = await MakeAsync(new { name = "one", role = "viewer" });

        var list = await _server.CallAsync(HttpMethod.Get, "/tokens", HttpStatusCode.OK);
        var kept = list + string.Concat(_store.Events) + JsonSerializer.Serialize(await _store.LoadAsync(TestContext.Current.CancellationToken));

        Assert.Contains("\"one\"", kept, StringComparison.Ordinal);
        Assert.DoesNotContain(token, kept, StringComparison.Ordinal);
        Assert.DoesNotContain(_server.Log.Lines, line => line.Text.Contains(token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Making_and_revoking_are_audited_with_the_name_of_who_did_it()
    {
        var (id, _) = await MakeAsync(new { name = "one", role = "viewer" });
        await RevokeAsync(id);

        var mine = _store.Events.Where(happened => happened.Target == $"admin token {id}").ToArray();
        Assert.Equal([AuditKind.TokenMade, AuditKind.AdminTokenRevoked], mine.Select(static happened => happened.Kind));
        Assert.All(mine, static happened => Assert.Equal("admin first", happened.Origin.Actor));
    }

    [Fact]
    public async Task Nobody_makes_or_revokes_a_token_that_may_do_more()
    {
        var (id, token) = await MakeAsync(new { name = "keeper", scopes = new[] { "tokens:manage", "ops" } });
        var (stronger, _) = await MakeAsync(new { name = "operator", role = "operator" });

        foreach (var wanted in new object[]
        {
            new { name = "x", role = "admin" }, new { name = "x", role = "viewer" }, new { name = "x", scopes = new[] { "ops", "keys:rotate" } },
        })
        {
            Assert.Equal("forbidden", await _server.RefusalAsync(HttpMethod.Post, "/tokens", HttpStatusCode.Forbidden, wanted, token));
        }

        Assert.Equal("forbidden", await _server.RefusalAsync(HttpMethod.Delete, $"/tokens/{stronger}", HttpStatusCode.Forbidden, token: token));
        Assert.Equal(JsonValueKind.Null, (await ReadAsync(stronger)).GetProperty("revokedAt").ValueKind);

        // As much as it has itself is allowed, and so is giving itself up.
        await _server.CallAsync(HttpMethod.Post, "/tokens", HttpStatusCode.Created, new { name = "x", scopes = new[] { "ops", "tokens:manage" } }, token);
        await _server.CallAsync(HttpMethod.Delete, $"/tokens/{id}", HttpStatusCode.NoContent, token: token);
        await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.Unauthorized, token: token);
    }

    [Fact]
    public async Task The_last_token_that_rules_the_server_stays()
    {
        var first = (await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.OK)).GetProperty("id").GetGuid();
        await MakeAsync(new { name = "operator", role = "operator" });
        await MakeAsync(new { name = "short", role = "admin", hours = 1 });
        _time.Advance(TimeSpan.FromHours(2));

        // Neither an operator nor an admin whose time is over takes its place.
        Assert.Equal("last_admin_token", await _server.RefusalAsync(HttpMethod.Delete, $"/tokens/{first}", HttpStatusCode.Conflict));
        var (second, other) = await MakeAsync(new { name = "second", role = "admin" });
        await RevokeAsync(first);
        Assert.Equal("last_admin_token", await _server.RefusalAsync(HttpMethod.Delete, $"/tokens/{second}", HttpStatusCode.Conflict, token: other));
    }

    [Fact]
    public async Task A_token_ends_with_its_time()
    {
        var (id, token) = await MakeAsync(new { name = "short", role = "viewer", hours = 2 });
        Assert.Equal(_time.GetUtcNow().AddHours(2), (await ReadAsync(id)).GetProperty("expiresAt").GetDateTimeOffset());

        _time.Advance(TimeSpan.FromHours(2) - TimeSpan.FromMilliseconds(1));
        await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.OK, token: token);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("unauthorized", await _server.RefusalAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.Unauthorized, token: token));

        // Its name is free again.
        await MakeAsync(new { name = "short", role = "viewer" });
    }

    [Fact]
    public async Task A_revoked_token_stays_revoked_after_a_restart()
    {
        var (kept, good) = await MakeAsync(new { name = "good", role = "admin" });
        var (id, bad) = await MakeAsync(new { name = "bad", role = "admin" });
        await RevokeAsync(id);
        await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.Unauthorized, token: bad);

        await RestartAsync();

        await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.Unauthorized, token: bad);
        var self = await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.OK, token: good);
        Assert.Equal(kept, self.GetProperty("id").GetGuid());
        _server.SignIn(good);
        Assert.Equal("admin first", (await ReadAsync(id)).GetProperty("revokedBy").GetString());
    }

    [Fact]
    public async Task The_first_token_stays_revoked_though_its_hash_is_still_in_the_file()
    {
        var old = _server.Token.NewlyMade!;
        var first = (await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.OK)).GetProperty("id").GetGuid();
        var (_, good) = await MakeAsync(new { name = "good", role = "admin" });
        await RevokeAsync(first);

        await RestartAsync();

        await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.Unauthorized, token: old);
        await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.OK, token: good);
    }

    [Fact]
    public async Task Without_its_hash_file_the_server_makes_a_new_token_and_revokes_the_old_one()
    {
        var old = _server.Token.NewlyMade!;
        File.Delete(_folder.File("admin-token.hash"));

        await RestartAsync();

        Assert.NotNull(_server.Token.NewlyMade);
        Assert.NotEqual(old, _server.Token.NewlyMade);
        await _server.CallAsync(HttpMethod.Get, "/tokens", HttpStatusCode.OK);
        await _server.CallAsync(HttpMethod.Get, "/tokens", HttpStatusCode.Unauthorized, token: old);
    }

    [Fact]
    public async Task A_name_belongs_to_one_good_token()
    {
        var (id, _) = await MakeAsync(new { name = "one", role = "viewer" });
        Assert.Equal("name_taken", await _server.RefusalAsync(HttpMethod.Post, "/tokens", HttpStatusCode.Conflict, new { name = "one", role = "viewer" }));
        await RevokeAsync(id);
        await MakeAsync(new { name = "one", role = "viewer" });
    }

    [Theory]
    [InlineData("""{"name":"first","role":"viewer"}""", "name")]
    [InlineData("""{"name":"","role":"viewer"}""", "name")]
    [InlineData("""{"name":"two words","role":"viewer"}""", "name")]
    [InlineData("""{"name":"one"}""", "role")]
    [InlineData("""{"name":"one","role":"viewer","scopes":["ops"]}""", "role")]
    [InlineData("""{"name":"one","scopes":[]}""", "role")]
    [InlineData("""{"name":"one","role":"viewer","hours":0}""", "hours")]
    public async Task A_token_that_makes_no_sense_is_refused_by_the_field(string body, string field)
    {
        var problem = await _server.CallAsync(HttpMethod.Post, "/tokens", HttpStatusCode.BadRequest, JsonSerializer.Deserialize<JsonElement>(body));
        Assert.Equal(field, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Fact]
    public async Task A_token_is_revoked_only_as_it_was_seen()
    {
        var (id, token) = await MakeAsync(new { name = "one", role = "viewer" });
        using var read = await _server.SendAsync(HttpMethod.Get, $"/tokens/{id}");
        var tag = read.Headers.ETag!.ToString();

        Assert.Equal("precondition_failed", await _server.RefusalAsync(HttpMethod.Delete, $"/tokens/{id}", HttpStatusCode.PreconditionFailed, ifMatch: "\"stale\""));

        // Being used does not change what an admin saw.
        await _server.CallAsync(HttpMethod.Get, "/tokens/self", HttpStatusCode.OK, token: token);
        await _server.CallAsync(HttpMethod.Delete, $"/tokens/{id}", HttpStatusCode.NoContent, ifMatch: tag);
        Assert.Equal("precondition_failed", await _server.RefusalAsync(HttpMethod.Delete, $"/tokens/{id}", HttpStatusCode.PreconditionFailed, ifMatch: tag));
    }

    private async Task RestartAsync()
    {
        await _server.DisposeAsync();
        _server = await AdminServer.StartSharedAsync(_folder, _store, _time);
    }

    private async Task<(Guid Id, string Token)> MakeAsync(object wanted)
    {
        var made = await _server.CallAsync(HttpMethod.Post, "/tokens", HttpStatusCode.Created, wanted);
        return (made.GetProperty("id").GetGuid(), made.GetProperty("token").GetString()!);
    }

    private Task<JsonElement> RevokeAsync(Guid id) => _server.CallAsync(HttpMethod.Delete, $"/tokens/{id}", HttpStatusCode.NoContent);

    private Task<JsonElement> ReadAsync(Guid id) => _server.CallAsync(HttpMethod.Get, $"/tokens/{id}", HttpStatusCode.OK);
}
