using System.Net;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests.Admin;

public sealed class ClientAdminTests : IAsyncLifetime
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
    public async Task Clients_are_found_by_the_start_of_their_name()
    {
        await using var client = await _server.ConnectAsync();
        foreach (var name in new[] { "Alice", "alicia", "al", "bob", "alz", "ärger", "deleted" })
        {
            await SampleRecord.RegisterAsync(client, name);
        }

        Assert.Equal(["Alice", "alicia"], await NamesAsync("/clients?name=ALIC"));
        Assert.Equal(["Alice", "al", "alicia", "alz"], await NamesAsync("/clients?name=al"));
        Assert.Equal(["ärger"], await NamesAsync("/clients?name=%C3%84"));
        Assert.Empty(await NamesAsync("/clients?name=alice2"));
        var pages = await _admin.ListAllAsync("/clients?name=al", limit: 1);
        Assert.Equal(["Alice", "al", "alicia", "alz"], pages.Select(static item => item.Text("name")!).Order(StringComparer.Ordinal));
        await _admin.WrongAsync(HttpMethod.Get, "/clients?name=a%20b", "name");
        await _admin.WrongAsync(HttpMethod.Get, "/clients?name=", "name");
        await _admin.WrongAsync(HttpMethod.Get, "/clients?name=%EF%BF%BE", "name");
    }

    [Fact]
    public async Task A_deleted_client_is_listed_on_demand_alone()
    {
        await using var client = await _server.ConnectAsync();
        var alice = (await SampleRecord.RegisterAsync(client, "alice")).Client.Value;
        await SampleRecord.RegisterAsync(client, "bob");

        await _admin.ChangeAsync(HttpMethod.Delete, $"/clients/{alice}");

        Assert.Equal(["bob"], await NamesAsync("/clients"));
        Assert.Equal(["", "bob"], await NamesAsync("/clients?includeDeleted=true"));
        Assert.Empty(await NamesAsync("/clients?includeDeleted=true&name=deleted"));
        var shown = await _admin.ReadAsync($"/clients/{alice}");
        Assert.Equal(("", "2026-03-02T08:00:00Z"), (shown.Text("name"), shown.Text("deletedAt")));
    }

    [Fact]
    public async Task A_client_is_shown_with_its_devices_and_its_living_sessions()
    {
        var (account, ticket, client) = await _server.SignUpAsync("alice");
        await using (client)
        {
            _server.Time.Advance(TimeSpan.FromMinutes(1));
            await client.LoginAsync(account, new TestDevice());
            _server.Time.Advance(TimeSpan.FromMinutes(1));
            await client.LoginAsync(account);
            await client.RequestAsync<Done>(new LogoutRequest(Everywhere: false));
        }

        var shown = await _admin.ReadAsync($"/clients/{ticket.Part.Client.Value}");

        Assert.Equal("alice", shown.Text("name"));
        Assert.Equal("2026-03-02T08:00:00Z", shown.Text("passwordChangedAt"));
        Assert.True(shown.IsNull("disabledAt"));
        Assert.True(shown.IsNull("deletedAt"));
        Assert.Equal(2, shown.GetProperty("devices").GetArrayLength());
        var first = shown.GetProperty("devices")[0];
        Assert.Equal(account.Device.Id.Value, first.Id());
        Assert.Equal(("laptop", 1), (first.Text("name"), first.GetProperty("serial").GetInt64()));
        Assert.Equal(("2026-03-02T08:00:00Z", "2026-03-02T08:02:00Z"), (first.Text("createdAt"), first.Text("lastSeenAt")));
        Assert.Equal(2, shown.GetProperty("livingSessions").GetInt32());
        Assert.Equal(
            ["2026-03-02T08:01:00Z", "2026-03-02T08:00:00Z"],
            shown.GetProperty("sessions").EnumerateArray().Select(static session => session.Text("createdAt")));

        _server.Time.Advance(TimeSpan.FromHours(10) - TimeSpan.FromMinutes(1));
        shown = await _admin.ReadAsync($"/clients/{ticket.Part.Client.Value}");
        Assert.Equal(0, shown.GetProperty("livingSessions").GetInt32());
        Assert.Empty(shown.GetProperty("sessions").EnumerateArray());
    }

    [Fact]
    public async Task A_disabled_client_is_cut_and_kept_out_until_it_is_enabled()
    {
        var (account, ticket, client) = await _server.SignUpAsync("alice");
        await using var _ = client;
        var path = $"/clients/{ticket.Part.Client.Value}";

        await _admin.ChangeAsync($"{path}/disable");
        await _admin.ChangeAsync($"{path}/disable");

        await client.EndedAsync();
        Assert.Equal("2026-03-02T08:00:00Z", (await _admin.ListAsync("/clients"))[0].Text("disabledAt"));
        await using var again = await _server.ConnectAsync();
        Assert.Equal(ProtocolError.ClientDisabled, await again.LoginRefusalAsync(account));
        Assert.Equal(ProtocolError.TicketRefused, await again.RefusalAsync(ticket.Request(again, MessageCode.RenewTicket)));

        await _admin.ChangeAsync($"{path}/enable");
        await _admin.ChangeAsync($"{path}/enable");

        Assert.True((await _admin.ListAsync("/clients"))[0].IsNull("disabledAt"));
        await again.LoginAsync(account);
        Assert.Equal(ProtocolError.TicketRefused, await again.RefusalAsync(ticket.Request(again, MessageCode.RenewTicket)));
        foreach (var kind in new[] { AuditKind.ClientDisabled, AuditKind.ClientEnabled })
        {
            var row = Assert.Single(await _server.AuditAsync(), row => row.Kind == kind);
            Assert.Equal(("admin file", "127.0.0.1"), (row.Actor, row.Address));
            Assert.Equal($"client {ticket.Part.Client.Value}", row.Target);
            Assert.NotEmpty(row.Correlation);
        }
    }

    [Fact]
    public async Task A_deleted_client_is_gone_and_its_name_is_taken_for_good()
    {
        var (account, ticket, client) = await _server.SignUpAsync("alice");
        await using var _ = client;
        var path = $"/clients/{ticket.Part.Client.Value}";

        await _admin.ChangeAsync(HttpMethod.Delete, path);
        await _admin.ChangeAsync(HttpMethod.Delete, path);

        await client.EndedAsync();
        Assert.Single(await _server.AuditAsync(), static row => row.Kind == AuditKind.ClientDeleted);
        await using var again = await _server.ConnectAsync();
        await again.FailToLogInAsync(account.Name);
        Assert.Equal(RegistrationRefusal.NameTaken, await again.InviteRefusalAsync("Alice", ""));
        Assert.NotNull(Assert.Single(await _server.DevicesAsync()).RevokedAt);
        foreach (var operation in new[] { "disable", "enable", "reset-token", "sessions/revoke" })
        {
            await _admin.ProblemAsync(HttpMethod.Post, $"{path}/{operation}", HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task A_reset_token_sets_a_new_password_once()
    {
        var (account, ticket, client) = await _server.SignUpAsync("alice");
        await using var _ = client;
        var path = $"/clients/{ticket.Part.Client.Value}/reset-token";

        var earlier = (await _admin.MakeAsync(path)).Text("token")!;
        var made = await _admin.MakeAsync(path);

        await client.EndedAsync();
        Assert.Equal("2026-03-03T08:00:00Z", made.Text("expiresAt"));
        Assert.NotEqual(Guid.Empty, made.Id());
        var token = made.Text("token")!;
        await using var again = await _server.ConnectAsync();
        Assert.Equal(RegistrationRefusal.InviteRefused, await again.InviteRefusalAsync("alice", earlier));
        Assert.Equal(RegistrationRefusal.InviteRefused, await again.InviteRefusalAsync("bob", token));
        var changed = new TestAccount("alice");
        Assert.Equal(ticket.Part.Client, (await again.RegisterAsync(changed, token)).Client);
        Assert.Equal(RegistrationRefusal.InviteRefused, await again.InviteRefusalAsync("alice", token));
        await again.LoginAsync(changed);
        await again.FailToLogInAsync("alice");
        Assert.Equal(
            [account.Device.Id.Value],
            (await _server.DevicesAsync()).Where(static row => row.RevokedAt is not null).Select(static row => row.DeviceId));
    }

    [Fact]
    public async Task All_sessions_of_a_client_end_and_it_may_log_in_again()
    {
        var (account, ticket, client) = await _server.SignUpAsync("alice");
        await using var _ = client;
        var (_, bobsTicket, bob) = await _server.SignUpAsync("bob");
        await using var __ = bob;

        await _admin.ChangeAsync($"/clients/{ticket.Part.Client.Value}/sessions/revoke");
        await _admin.ChangeAsync($"/clients/{ticket.Part.Client.Value}/sessions/revoke");

        await client.EndedAsync();
        await bob.RenewAsync(bobsTicket);
        await using var again = await _server.ConnectAsync();
        Assert.Equal(ProtocolError.TicketRefused, await again.RefusalAsync(ticket.Request(again, MessageCode.RenewTicket)));
        await again.LoginAsync(account);
    }

    [Fact]
    public async Task A_removed_device_is_cut_and_kept_out_while_the_others_go_on()
    {
        var (account, ticket, laptop) = await _server.SignUpAsync("alice");
        await using var _ = laptop;
        var phoneDevice = new TestDevice();
        await using var phone = await _server.ConnectAsync();
        var phoneTicket = await phone.LoginAsync(account, phoneDevice);
        var path = $"/clients/{ticket.Part.Client.Value}/devices";
        Assert.Equal([account.Device.Id.Value, phoneDevice.Id.Value], await IdsAsync(path));

        await _admin.ChangeAsync(HttpMethod.Delete, $"{path}/{account.Device.Id.Value}");
        await _admin.ChangeAsync(HttpMethod.Delete, $"{path}/{account.Device.Id.Value}");

        await laptop.EndedAsync();
        Assert.Single(await _server.AuditAsync(), static row => row.Kind == AuditKind.DeviceRemoved);
        await phone.RenewAsync(phoneTicket);
        await using var again = await _server.ConnectAsync();
        Assert.Equal(ProtocolError.DeviceRefused, await again.LoginRefusalAsync(account));
        Assert.Equal([phoneDevice.Id.Value], await IdsAsync(path));
        var removed = (await _admin.ListAllAsync($"{path}?includeRemoved=true", limit: 1))[0];
        Assert.Equal(account.Device.Id.Value, removed.Id());
        Assert.Equal(("2026-03-02T08:00:00Z", "removed by an admin"), (removed.Text("removedAt"), removed.Text("removedReason")));
    }

    [Fact]
    public async Task A_device_is_shown_as_linked_from_its_link_to_its_removal()
    {
        var (account, ticket, laptop) = await _server.SignUpAsync("alice");
        await using var _ = laptop;
        await laptop.LoginAsync(account, new TestDevice());
        var (client, device) = (ticket.Part.Client, account.Device);
        var path = $"/clients/{client.Value}/devices";
        Assert.Equal([false, false], await AreLinkedAsync());

        using var accountKey = Ed25519PrivateKey.Generate();
        await laptop.RequestAsync<Done>(
            new LinkDeviceRequest(device.Id, DeviceLink.Sign(accountKey, client, device.Id, device.Identity)));

        Assert.Equal([true, false], await AreLinkedAsync());
        var shown = await _admin.ReadAsync($"/clients/{client.Value}");
        Assert.Equal([true, false], shown.GetProperty("devices").EnumerateArray().Select(static row => row.GetProperty("isLinked").GetBoolean()));
        Assert.Equal(
            $"device {device.Id.Value} of client {client.Value}",
            Assert.Single(await _admin.ListAsync("/audit?kind=deviceLinked")).Text("target"));

        await _admin.ChangeAsync(HttpMethod.Delete, $"{path}/{device.Id.Value}");
        Assert.Equal([false, false], await AreLinkedAsync());

        async Task<IEnumerable<bool>> AreLinkedAsync() =>
            (await _admin.ListAsync($"{path}?includeRemoved=true")).Select(static row => row.GetProperty("isLinked").GetBoolean());
    }

    [Fact]
    public async Task What_does_not_exist_is_not_found()
    {
        await using var client = await _server.ConnectAsync();
        var alice = (await SampleRecord.RegisterAsync(client, "alice")).Client.Value;
        var nobody = $"/clients/{Guid.NewGuid()}";
        (HttpMethod Method, string Path)[] calls =
        [
            (HttpMethod.Get, nobody),
            (HttpMethod.Delete, nobody),
            (HttpMethod.Post, $"{nobody}/disable"),
            (HttpMethod.Post, $"{nobody}/enable"),
            (HttpMethod.Post, $"{nobody}/reset-token"),
            (HttpMethod.Post, $"{nobody}/sessions/revoke"),
            (HttpMethod.Get, $"{nobody}/devices"),
            (HttpMethod.Delete, $"{nobody}/devices/{Guid.NewGuid()}"),
            (HttpMethod.Delete, $"/clients/{alice}/devices/{Guid.NewGuid()}"),
            (HttpMethod.Post, $"/sessions/{Guid.NewGuid()}/revoke"),
            (HttpMethod.Delete, $"/one-time-tokens/{Guid.NewGuid()}"),
            (HttpMethod.Post, $"/servers/{Guid.NewGuid()}/enrolment-token"),
            (HttpMethod.Post, $"/servers/{Guid.NewGuid()}/disable"),
            (HttpMethod.Post, $"/servers/{Guid.NewGuid()}/enable"),
            (HttpMethod.Post, $"/servers/{Guid.NewGuid()}/rotate-key"),
            (HttpMethod.Post, "/keys/session/rotate"),
            (HttpMethod.Get, "/clients/alice"),
        ];
        var before = (await _server.AuditAsync()).Count;

        foreach (var (method, path) in calls)
        {
            await _admin.ProblemAsync(method, path, HttpStatusCode.NotFound);
        }

        Assert.Equal(before, (await _server.AuditAsync()).Count);
        Assert.Empty(_server.Log.Errors);
    }

    private async Task<IReadOnlyList<string>> NamesAsync(string path) =>
        [.. (await _admin.ListAsync(path)).Select(static item => item.Text("name")!).Order(StringComparer.Ordinal)];

    private async Task<IReadOnlyList<Guid>> IdsAsync(string path) => [.. (await _admin.ListAsync(path)).Select(AdminCalls.Id)];
}
