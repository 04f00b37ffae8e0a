using System.Net;
using System.Text.Json;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Tests.Admin;

public sealed class TokenAdminTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _admin = null!;
    private TestClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync("--Auth:Registration=Invite");
        _admin = _server.Admin();
        _client = await _server.ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task An_invite_registers_one_client_of_any_name()
    {
        var made = await _admin.MakeAsync("/invites");
        var token = made.Text("token")!;
        Assert.Equal("2026-03-09T08:00:00Z", made.Text("expiresAt"));

        Assert.Equal(RegistrationRefusal.InviteRefused, await _client.InviteRefusalAsync("carol", ""));
        await _client.RegisterAsync(new TestAccount("carol"), token);
        Assert.Equal(RegistrationRefusal.InviteRefused, await _client.InviteRefusalAsync("dave", token));
        var row = Assert.Single(await _server.AuditAsync(), static row => row.Kind == AuditKind.InviteMade);
        Assert.Equal(("admin file", $"for any name token {made.Id()}"), (row.Actor, row.Detail));
    }

    [Fact]
    public async Task An_invite_for_a_name_registers_that_name_alone()
    {
        var token = (await _admin.MakeAsync("/invites", new { name = "Carol", hours = 2 })).Text("token")!;

        Assert.Equal(RegistrationRefusal.InviteRefused, await _client.InviteRefusalAsync("dave", token));
        var registered = await _client.RegisterAsync(new TestAccount("carol"), token);

        var listed = Assert.Single(await _admin.ListAsync("/one-time-tokens"));
        Assert.Equal(("invite", "carol"), (listed.Text("purpose"), listed.Text("name")));
        Assert.Equal(("2026-03-02T08:00:00Z", "2026-03-02T10:00:00Z"), (listed.Text("usedAt"), listed.Text("expiresAt")));
        Assert.Equal(registered.Client.Value, listed.GetProperty("clientId").GetGuid());
    }

    [Fact]
    public async Task An_invite_ends_with_its_hours()
    {
        var token = (await _admin.MakeAsync("/invites", new { hours = 2160 })).Text("token")!;

        _server.Time.Advance(TimeSpan.FromHours(2160) - TimeSpan.FromMilliseconds(1));
        await using (var client = await _server.ConnectAsync())
        {
            await client.RequestAsync<RegistrationChallenge>(new RegisterClientRequest("carol", token, SampleRecord.Element()));
            _server.Time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(RegistrationRefusal.InviteRefused, await client.InviteRefusalAsync("carol", token));
        }
    }

    [Fact]
    public async Task A_wrong_invite_is_refused_and_not_made()
    {
        foreach (var name in new[] { "", "a b", "-carol", "carol@realm", new string('a', 65) })
        {
            await _admin.WrongAsync(HttpMethod.Post, "/invites", "name", new { name });
        }

        foreach (var hours in new[] { 0, -1, 2161, int.MaxValue })
        {
            await _admin.WrongAsync(HttpMethod.Post, "/invites", "hours", new { hours });
        }

        await _admin.WrongAsync(HttpMethod.Post, "/invites", "hours", new { hours = "two" });
        await _admin.ProblemAsync(HttpMethod.Post, "/invites", HttpStatusCode.BadRequest, new { nmae = "carol" });

        Assert.Empty(await _admin.ListAsync("/one-time-tokens"));
    }

    [Fact]
    public async Task A_revoked_token_opens_nothing()
    {
        var invite = await _admin.MakeAsync("/invites");
        var enrolment = await _admin.MakeAsync("/enrolment-tokens");

        foreach (var made in new[] { invite, enrolment })
        {
            await _admin.ChangeAsync(HttpMethod.Delete, $"/one-time-tokens/{made.Id()}");
            await _admin.ChangeAsync(HttpMethod.Delete, $"/one-time-tokens/{made.Id()}");
        }

        Assert.Equal(RegistrationRefusal.InviteRefused, await _client.InviteRefusalAsync("carol", invite.Text("token")!));
        Assert.Equal(
            ProtocolError.EnrolmentRefused,
            await _client.RefusalAsync(TestMessageServer.Request(_client, enrolment.Text("token")!)));
        Assert.Equal(2, (await _server.AuditAsync()).Count(static row => row.Kind == AuditKind.TokenRevoked));
        Assert.All(await _admin.ListAsync("/one-time-tokens"), static item => Assert.Equal("2026-03-02T08:00:00Z", item.Text("revokedAt")));
    }

    [Fact]
    public async Task A_used_token_cannot_be_revoked_and_that_is_told()
    {
        var made = await _admin.MakeAsync("/invites");
        await _client.RegisterAsync(new TestAccount("carol"), made.Text("token")!);

        await _admin.ProblemAsync(HttpMethod.Delete, $"/one-time-tokens/{made.Id()}", HttpStatusCode.Conflict);

        Assert.True(Assert.Single(await _admin.ListAsync("/one-time-tokens")).IsNull("revokedAt"));
    }

    [Fact]
    public async Task The_list_shows_every_token_by_its_id_and_none_by_what_opens()
    {
        var server = await _server.EnrolAsync();
        var made = new List<JsonElement>
        {
            await _admin.MakeAsync("/invites"),
            await _admin.MakeAsync("/enrolment-tokens"),
            await _admin.MakeAsync($"/servers/{server.Registered.Server.Value}/enrolment-token"),
        };
        await _client.RegisterAsync(new TestAccount("carol"), made[0].Text("token")!);
        var carol = (await _admin.ListAsync("/clients"))[0].Id();
        made.Add(await _admin.MakeAsync($"/clients/{carol}/reset-token"));

        var text = await _admin.GetStringAsync("/admin/v1/one-time-tokens", Cancel);

        var items = await _admin.ListAllAsync("/one-time-tokens", limit: 2);
        Assert.Equal(5, items.Count);
        Assert.Superset(made.Select(AdminCalls.Id).ToHashSet(), items.Select(AdminCalls.Id).ToHashSet());
        Assert.Equal(
            ["invite", "passwordReset", "serverEnrolment", "serverEnrolment", "serverEnrolment"],
            items.Select(static item => item.Text("purpose")!).Order(StringComparer.Ordinal));
        foreach (var token in made.Select(static item => item.Text("token")!))
        {
            Assert.DoesNotContain(token, text, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToHexString(OneTimeTokens.Hash(token)), text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Convert.ToBase64String(OneTimeTokens.Hash(token)), text, StringComparison.Ordinal);
        }
    }
}
