using System.Net;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;

namespace KerberosMessaging.AuthServer.Tests.Admin;

public sealed class KeyAdminTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _admin = null!;

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
    public async Task The_first_keys_are_listed_with_their_age()
    {
        _server.Time.Advance(TimeSpan.FromHours(71));

        var keys = await _admin.ListAsync("/keys");

        Assert.Equal(["realm", "ticket", "opaque", "ticket-signing", "audit"], keys.Select(static key => key.Text("purpose")));
        Assert.All(keys, static key =>
        {
            Assert.Equal((1, 2), (key.GetProperty("version").GetInt32(), key.GetProperty("ageDays").GetInt32()));
            Assert.Equal("2026-03-02T08:00:00Z", key.Text("createdAt"));
            Assert.True(key.GetProperty("isNewest").GetBoolean());
            Assert.True(key.IsNull("neededUntil"));
            Assert.Equal(6, key.EnumerateObject().Count());
        });
    }

    [Theory]
    [InlineData("ticket", "ticket key")]
    [InlineData("ticket-signing", "ticket-signing key")]
    [InlineData("opaque", "OPAQUE key")]
    public async Task A_rotated_key_has_a_newer_version_and_what_was_open_stays_open(string purpose, string target)
    {
        var messages = await _server.EnrolAsync();
        var (account, ticket, client) = await _server.SignUpAsync("alice");
        await using var _ = client;

        var rotated = await _admin.CallAsync(HttpMethod.Post, $"/keys/{purpose}/rotate", HttpStatusCode.OK);

        Assert.Equal((purpose, 2), (rotated.Text("purpose"), rotated.GetProperty("version").GetInt32()));
        var versions = (await _admin.ListAsync("/keys")).Where(key => key.Text("purpose") == purpose).ToList();
        Assert.Equal([(1, false), (2, true)], versions.Select(static key => (key.GetProperty("version").GetInt32(), key.GetProperty("isNewest").GetBoolean())));
        Assert.Equal(purpose == "ticket" ? "2026-03-02T18:00:00Z" : null, versions[0].Text("neededUntil"));
        var row = Assert.Single(await _server.AuditAsync(), static row => row.Kind == AuditKind.KeyRotated);
        Assert.Equal(("admin file", target, "version 2"), (row.Actor, row.Target, row.Detail));

        await client.RenewAsync(ticket);
        var (serviceTicket, part) = await client.RequestServiceTicketAsync(ticket, messages.Registered.Server);
        part.Dispose();
        using var opened = messages.Open(serviceTicket);
        Assert.NotNull(opened);
        await client.LoginAsync(account);
    }

    [Theory]
    [InlineData("ticket")]
    [InlineData("ticket-signing")]
    [InlineData("opaque")]
    public async Task A_key_is_not_rotated_while_too_many_old_ones_are_needed(string purpose)
    {
        for (var made = 1; made < 15; made++)
        {
            await _admin.CallAsync(HttpMethod.Post, $"/keys/{purpose}/rotate", HttpStatusCode.OK);
        }

        var before = (await _server.AuditAsync()).Count;
        var problem = await _admin.ProblemAsync(HttpMethod.Post, $"/keys/{purpose}/rotate", HttpStatusCode.Conflict);

        Assert.Contains("old versions", problem.Text("detail"), StringComparison.Ordinal);
        Assert.Equal(before, (await _server.AuditAsync()).Count);
    }

    [Theory]
    [InlineData("realm", "pins")]
    [InlineData("audit", "audit log")]
    public async Task A_key_without_versions_is_refused_with_the_reason(string purpose, string reason)
    {
        var problem = await _admin.ProblemAsync(HttpMethod.Post, $"/keys/{purpose}/rotate", HttpStatusCode.Conflict);

        Assert.Contains(reason, problem.Text("detail"), StringComparison.Ordinal);
        Assert.Single(await _admin.ListAsync("/keys"), key => key.Text("purpose") == purpose);
    }
}
