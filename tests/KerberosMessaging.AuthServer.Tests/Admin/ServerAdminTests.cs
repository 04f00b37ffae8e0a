using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Tests.Admin;

public sealed class ServerAdminTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _admin = null!;
    private TestMessageServer _messages = null!;
    private string _path = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _admin = _server.Admin();
        _messages = await _server.EnrolAsync();
        _path = $"/servers/{_messages.Registered.Server.Value}";
    }

    public async ValueTask DisposeAsync()
    {
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_rotated_key_waits_until_the_server_has_it()
    {
        var before = Assert.Single(await _admin.ListAsync("/servers"));
        Assert.Equal((1, 1), (before.GetProperty("keyVersion").GetInt32(), before.GetProperty("ticketSigningVersion").GetInt32()));
        Assert.True(before.IsNull("waitingKeyVersion"));
        Assert.Equal("2026-03-02T08:00:00Z", before.Text("lastSeenAt"));

        await _admin.ChangeAsync($"{_path}/rotate-key");
        await _admin.ChangeAsync($"{_path}/rotate-key");

        var after = Assert.Single(await _admin.ListAsync("/servers"));
        Assert.Equal((1, 2), (after.GetProperty("keyVersion").GetInt32(), after.GetProperty("waitingKeyVersion").GetInt32()));
        Assert.Single(await _server.AuditAsync(), static row => row.Kind == AuditKind.KeyRotated);
    }

    [Fact]
    public async Task A_disabled_server_gets_no_tickets_until_it_is_enabled()
    {
        var (_, ticket, client) = await _server.SignUpAsync("alice");
        await using var _ = client;

        _server.Time.Advance(TimeSpan.FromSeconds(5));
        await _admin.ChangeAsync($"{_path}/disable");
        await _admin.ChangeAsync($"{_path}/disable");

        Assert.Equal("2026-03-02T08:00:05Z", Assert.Single(await _admin.ListAsync("/servers")).Text("disabledAt"));
        Assert.Equal(
            ProtocolError.UnknownServer,
            await client.RefusalAsync(ticket.Request(client, MessageCode.RequestServiceTicket, server: _messages.Registered.Server)));

        await _admin.ChangeAsync($"{_path}/enable");
        await _admin.ChangeAsync($"{_path}/enable");

        await client.RequestServiceTicketAsync(ticket, _messages.Registered.Server);
        Assert.Single(await _server.AuditAsync(), static row => row.Kind == AuditKind.ServerDisabled);
        Assert.Single(await _server.AuditAsync(), static row => row.Kind == AuditKind.ServerEnabled);
    }

    [Fact]
    public async Task A_server_enrols_anew_under_its_id_with_other_keys()
    {
        var token = (await _admin.MakeAsync($"{_path}/enrolment-token")).Text("token")!;
        await using var client = await _server.ConnectAsync();

        var anew = await TestMessageServer.EnrolAsync(client, token, "msg-1-anew");

        Assert.Equal(_messages.Registered.Server, anew.Registered.Server);
        Assert.DoesNotContain(anew.Registered.Keys.ServiceKeys, key => key.Version == 2 && key.Key.SequenceEqual(_messages.ServiceKey));
        var listed = Assert.Single(await _admin.ListAsync("/servers"));
        Assert.Equal(("msg-1-anew", 2), (listed.Text("name"), listed.GetProperty("keyVersion").GetInt32()));
        Assert.True(listed.IsNull("waitingKeyVersion"));
        var (_, ticket, alice) = await _server.SignUpAsync("alice");
        await using var _ = alice;
        var (serviceTicket, part) = await alice.RequestServiceTicketAsync(ticket, anew.Registered.Server);
        part.Dispose();
        Assert.Null(_messages.Open(serviceTicket));
        using var opened = anew.Open(serviceTicket);
        Assert.NotNull(opened);
    }
}
