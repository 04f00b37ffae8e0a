using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class DeviceTests : IAsyncLifetime
{
    private readonly TestDevice _phone = new();
    private TestServer _server = null!;
    private QuickAccount _alice = null!;
    private TestTicket _ticket = null!;
    private TestClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        (_alice, _ticket, _client) = await _server.SignUpQuickAsync("Alice");
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_client_sees_its_own_devices_oldest_first_and_when_each_was_last_here()
    {
        var start = _server.Time.GetUtcNow();
        PassTime(TimeSpan.FromHours(1));
        await using var phone = await _server.ConnectAsync();
        var phones = await _alice.LoginAsync(phone, _phone);
        PassTime(TimeSpan.FromHours(1));
        await _client.RenewAsync(_ticket);
        var (_, _, bob) = await _server.SignUpQuickAsync("bob");
        await using (bob)
        {
            Assert.Single(await ListAsync(bob));
        }

        var devices = await ListAsync(_client);

        Assert.Equal(
            [
                new OwnDevice(_alice.Device.Id, "laptop", SerialOf(_ticket), start, start.AddHours(2)),
                new OwnDevice(_phone.Id, "laptop", SerialOf(phones), start.AddHours(1), start.AddHours(1)),
            ],
            devices);
        Assert.Equal(devices, await ListAsync(phone));
        PassTime(TimeSpan.FromHours(1));
        await _alice.LoginAsync(phone, _phone);
        Assert.Equal(start.AddHours(3), (await ListAsync(_client))[1].LastSeenAt);
    }

    [Fact]
    public async Task A_device_is_renamed_by_any_device_of_its_client_and_by_nobody_else()
    {
        await using var phone = await _server.ConnectAsync();
        await _alice.LoginAsync(phone, _phone);
        var longest = new string('n', ProtocolLimits.NameBytes);

        await _client.RequestAsync<Done>(new RenameDeviceRequest(_phone.Id, "Telefon 📱"));
        await phone.RequestAsync<Done>(new RenameDeviceRequest(_alice.Device.Id, longest));

        Assert.Equal([longest, "Telefon 📱"], (await ListAsync(_client)).Select(static device => device.Name));
        Assert.Equal(2, (await _server.AuditAsync(AuditKind.DeviceRenamed)).Count);
        var (_, _, bob) = await _server.SignUpQuickAsync("bob");
        await using (bob)
        {
            foreach (var device in new[] { _phone.Id, DeviceId.New(), default })
            {
                Assert.Equal(ProtocolError.UnknownDevice, await bob.RefusalAsync(new RenameDeviceRequest(device, "mine")));
                Assert.Equal(ProtocolError.UnknownDevice, await bob.RefusalAsync(new RemoveDeviceRequest(device)));
            }
        }

        Assert.Equal("Telefon 📱", (await ListAsync(_client))[1].Name);

        // A name says nothing to the audit log, since it is text of the client's own.
        Assert.DoesNotContain(await _server.AuditAsync(AuditKind.DeviceRenamed), static row => (row.Target + row.Detail).Contains("Telefon", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_new_name_stays_when_the_device_logs_in_again_under_its_old_one()
    {
        await _client.RequestAsync<Done>(new RenameDeviceRequest(_alice.Device.Id, "mine"));

        await _alice.LoginAsync(_client);

        Assert.Equal("mine", Assert.Single(await ListAsync(_client)).Name);
    }

    [Fact]
    public async Task A_removed_device_is_cut_is_listed_no_more_and_never_logs_in_again()
    {
        await using var phone = await _server.ConnectAsync();
        var phones = await _alice.LoginAsync(phone, _phone);
        var both = (await _client.RequestAsync<ClientFound>(new LookUpClientRequest("alice"))).Devices.Select(static device => device.Certificate);
        Assert.Equal([_ticket.Part.Certificate, phones.Part.Certificate], both);

        await _client.RequestAsync<Done>(new RemoveDeviceRequest(_phone.Id));

        Assert.Equal(NoticeKind.SessionEnded, (await phone.NextNoticeAsync()).Kind);
        await phone.EndedAsync();
        Assert.Equal(ProtocolError.TicketRefused, await _server.TryPresentAsync(phones));
        Assert.Null(await _server.TryPresentAsync(_ticket));
        Assert.Equal(_alice.Device.Id, Assert.Single(await ListAsync(_client)).Device);
        var left = Assert.Single((await _client.RequestAsync<ClientFound>(new LookUpClientRequest("alice"))).Devices).Certificate;
        Assert.Equal(_ticket.Part.Certificate, left);
        await _client.RequestAsync<ServerList>(new ListServersRequest());

        // With its own keys and with others.
        await using var again = await _server.ConnectAsync();
        Assert.Equal(ProtocolError.DeviceRefused, (await _alice.TryLoginAsync(again, _phone)).Error);
        Assert.Equal(ProtocolError.DeviceRefused, (await _alice.TryLoginAsync(again, new TestDevice(_phone.Id))).Error);
        Assert.Equal(ProtocolError.UnknownDevice, await _client.RefusalAsync(new RemoveDeviceRequest(_phone.Id)));
        Assert.Equal(ProtocolError.UnknownDevice, await _client.RefusalAsync(new RenameDeviceRequest(_phone.Id, "back")));
        Assert.Single(await _server.AuditAsync(AuditKind.DeviceRemoved));
    }

    [Fact]
    public async Task A_device_that_removes_itself_is_answered_and_signed_out_and_its_other_channels_are_cut()
    {
        await using var same = await _server.PresentAsync(_ticket);
        await using var phone = await _server.ConnectAsync();
        await _alice.LoginAsync(phone, _phone);

        await _client.RequestAsync<Done>(new RemoveDeviceRequest(_alice.Device.Id));

        Assert.Equal(ProtocolError.NotSignedIn, await _client.RefusalAsync(new ListDevicesRequest()));
        await same.EndedAsync();
        Assert.Equal(ProtocolError.TicketRefused, await _server.TryPresentAsync(_ticket));
        Assert.Equal(_phone.Id, Assert.Single(await ListAsync(phone)).Device);

        // The channel is good for another device.
        await _alice.LoginAsync(_client, new TestDevice());
        Assert.Equal(2, (await ListAsync(phone)).Count);
    }

    [Fact]
    public async Task Removing_one_device_at_once_from_many_channels_removes_it_once()
    {
        await using var phone = await _server.ConnectAsync();
        await _alice.LoginAsync(phone, _phone);
        var clients = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _server.PresentAsync(_ticket)));

        var answers = await Task.WhenAll(clients.Select(async client =>
        {
            try
            {
                await client.RequestAsync<Done>(new RemoveDeviceRequest(_phone.Id));
                return (ProtocolError?)null;
            }
            catch (Transport.RequestRefusedException e)
            {
                return e.Error;
            }
        }));

        Assert.Single(answers, static answer => answer is null);
        Assert.Equal(7, answers.Count(static answer => answer == ProtocolError.UnknownDevice));
        Assert.Single(await _server.AuditAsync(AuditKind.DeviceRemoved));
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Serials_of_certificates_only_ever_increase_and_are_not_given_again()
    {
        var serials = new List<ulong> { SerialOf(_ticket) };
        for (var i = 0; i < 5; i++)
        {
            var device = new TestDevice();
            await using var other = await _server.ConnectAsync();
            serials.Add(SerialOf(await _alice.LoginAsync(other, device)));
            await _client.RequestAsync<Done>(new RemoveDeviceRequest(device.Id));
        }

        await _server.StopAsync();
        await _server.StartAgainAsync();
        await using var later = await _server.ConnectAsync();
        serials.Add(SerialOf(await _alice.LoginAsync(later, new TestDevice())));

        Assert.Equal(serials.Order().Distinct(), serials);
    }

    [Fact]
    public async Task A_removed_device_makes_room_for_another_among_32()
    {
        var devices = Enumerable.Range(0, 31).Select(static _ => new TestDevice()).ToList();
        foreach (var device in devices)
        {
            await _alice.LoginAsync(_client, device);
        }

        Assert.Equal(32, (await ListAsync(_client)).Count);
        await using var other = await _server.ConnectAsync();
        Assert.Equal(ProtocolError.DeviceRefused, (await _alice.TryLoginAsync(other, new TestDevice())).Error);
        Assert.True((await _alice.TryLoginAsync(other, devices[7])).Succeeded);

        await _client.RequestAsync<Done>(new RemoveDeviceRequest(devices[0].Id));

        await using var another = await _server.ConnectAsync();
        Assert.True((await _alice.TryLoginAsync(another, new TestDevice())).Succeeded);
        Assert.Equal(ProtocolError.DeviceRefused, (await _alice.TryLoginAsync(another, new TestDevice())).Error);
        Assert.Equal(32, (await _client.RequestAsync<ClientFound>(new LookUpClientRequest("alice"))).Devices.Count);
    }

    [Fact]
    public async Task Of_40_new_devices_at_once_32_are_taken()
    {
        await _client.RequestAsync<Done>(new RemoveDeviceRequest(_alice.Device.Id));
        var clients = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => _server.ConnectAsync()));

        var outcomes = await Task.WhenAll(clients.Select(client => _alice.TryLoginAsync(client, new TestDevice())));

        Assert.Equal(32, outcomes.Count(static outcome => outcome.Succeeded));
        Assert.Equal(8, outcomes.Count(static outcome => outcome.Error == ProtocolError.DeviceRefused));
        Assert.Equal(32, (await _server.DevicesAsync()).Count(static row => row.RevokedAt is null));
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    private static async Task<IReadOnlyList<OwnDevice>> ListAsync(TestClient client) =>
        (await client.RequestAsync<OwnDevices>(new ListDevicesRequest())).Devices;

    private ulong SerialOf(TestTicket ticket) =>
        DeviceCertificate.TryRead(ticket.Part.Certificate, _server.Keys.Realm.PublicKey.Span)!.Serial;

    private void PassTime(TimeSpan time) => _server.Time.AdjustTime(_server.Time.GetUtcNow() + time);
}
