using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class DeviceLinkTests : IAsyncLifetime
{
    private readonly Ed25519PrivateKey _accountKey = Ed25519PrivateKey.Generate();
    private readonly TestDevice _phone = new();
    private TestServer _server = null!;
    private QuickAccount _alice = null!;
    private TestClient _client = null!;

    private ClientId Alice => _alice.Client;

    private TestDevice Laptop => _alice.Device;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        (_alice, _, _client) = await _server.SignUpQuickAsync("alice");
    }

    public async ValueTask DisposeAsync()
    {
        _accountKey.Dispose();
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_link_is_given_out_with_the_certificate_to_whoever_looks_the_client_up()
    {
        await using var phone = await _server.ConnectAsync();
        await _alice.LoginAsync(phone, _phone);
        Assert.All(await LookUpAsync(_client), static device => Assert.Empty(device.Link));

        // A device may link another one, and itself.
        await _client.RequestAsync<Done>(new LinkDeviceRequest(_phone.Id, Link(_phone)));
        Assert.Equal([[], Link(_phone)], (await LookUpAsync(_client)).Select(static device => device.Link));
        await _client.RequestAsync<Done>(new LinkDeviceRequest(Laptop.Id, Link(Laptop)));

        var (_, _, bob) = await _server.SignUpQuickAsync("bob");
        await using (bob)
        {
            foreach (var device in await LookUpAsync(bob))
            {
                var certificate = DeviceCertificate.TryRead(device.Certificate, _server.Keys.Realm.PublicKey.Span)!;
                Assert.True(DeviceLink.TryVerify(
                    device.Link, certificate.Client, certificate.Device, [.. certificate.SigningKey, .. certificate.AgreementKey], out var signer));
                Assert.Equal(_accountKey.PublicKey.ToArray(), signer);
            }
        }
    }

    [Fact]
    public async Task A_link_outlives_the_server_and_later_logins_of_its_device()
    {
        await _client.RequestAsync<Done>(new LinkDeviceRequest(Laptop.Id, Link(Laptop)));

        await _server.StopAsync();
        await _server.StartAgainAsync();
        await using var again = await _server.ConnectAsync();
        await _alice.LoginAsync(again);

        Assert.Equal(Link(Laptop), Assert.Single(await LookUpAsync(again)).Link);
    }

    [Fact]
    public async Task A_later_link_replaces_an_earlier_one_and_each_is_in_the_audit_log_with_its_account_key()
    {
        using var other = Ed25519PrivateKey.Generate();
        var later = DeviceLink.Sign(other, Alice, Laptop.Id, Laptop.Identity);

        await _client.RequestAsync<Done>(new LinkDeviceRequest(Laptop.Id, Link(Laptop)));
        await _client.RequestAsync<Done>(new LinkDeviceRequest(Laptop.Id, later));

        Assert.Equal(later, Assert.Single(await LookUpAsync(_client)).Link);
        var rows = await _server.AuditAsync(AuditKind.DeviceLinked);
        Assert.Equal(
            [$"account key {Hex(_accountKey)}", $"account key {Hex(other)}"], rows.Select(static row => row.Detail));
        Assert.All(rows, row => Assert.Equal($"device {Laptop.Id.Value} of client {Alice.Value}", row.Target));
        Assert.All(rows, row => Assert.Contains(Alice.Value.ToString(), row.Actor, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_device_that_the_client_does_not_have_is_unknown()
    {
        var (bobs, _, bob) = await _server.SignUpQuickAsync("bob");
        await using (bob)
        {
            var stranger = new TestDevice();
            Assert.Equal(ProtocolError.UnknownDevice, await _client.RefusalAsync(new LinkDeviceRequest(stranger.Id, Link(stranger))));
            Assert.Equal(ProtocolError.UnknownDevice, await _client.RefusalAsync(new LinkDeviceRequest(default, Link(Laptop))));

            // Another client's device, with the link that it could have and with one that names this client.
            var good = DeviceLink.Sign(_accountKey, bobs.Client, bobs.Device.Id, bobs.Device.Identity);
            Assert.Equal(ProtocolError.UnknownDevice, await _client.RefusalAsync(new LinkDeviceRequest(bobs.Device.Id, good)));
            Assert.Equal(
                ProtocolError.UnknownDevice, await _client.RefusalAsync(new LinkDeviceRequest(bobs.Device.Id, Link(bobs.Device))));
        }

        await AssertNothingLinkedAsync();
    }

    [Fact]
    public async Task A_link_that_does_not_verify_for_the_certified_device_is_refused()
    {
        await _alice.LoginAsync(_client, _phone);
        var damaged = Link(Laptop);
        damaged[^1] ^= 1;
        var newer = Link(Laptop);
        newer[0] = 2;
        byte[][] wrong =
        [
            Link(_phone),
            DeviceLink.Sign(_accountKey, Alice, Laptop.Id, _phone.Identity),
            DeviceLink.Sign(_accountKey, Alice, _phone.Id, Laptop.Identity),
            DeviceLink.Sign(_accountKey, ClientId.New(), Laptop.Id, Laptop.Identity),
            damaged,
            newer,
            new byte[DeviceLink.Size],
        ];

        foreach (var link in wrong)
        {
            Assert.Equal(ProtocolError.DeviceRefused, await _client.RefusalAsync(new LinkDeviceRequest(Laptop.Id, link)));
        }

        await AssertNothingLinkedAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(96)]
    [InlineData(98)]
    public async Task A_link_of_another_size_is_malformed(int size)
    {
        byte[] payload = [.. Laptop.Id.Value.ToByteArray(bigEndian: true), .. Link(Laptop).Concat(new byte[1]).Take(size)];

        await Assert.ThrowsAsync<ChannelException>(() => _client.RequestAsync(new RawMessage(MessageCode.LinkDevice, payload)));

        Assert.Equal(ProtocolError.Malformed, (await _client.EndedAsync()).PeerError);
        Assert.Empty(Assert.Single(await _server.DevicesAsync()).Link);
    }

    [Fact]
    public async Task A_channel_that_is_not_signed_in_links_nothing()
    {
        await using var stranger = await _server.ConnectAsync();

        Assert.Equal(ProtocolError.NotSignedIn, await stranger.RefusalAsync(new LinkDeviceRequest(Laptop.Id, Link(Laptop))));

        await AssertNothingLinkedAsync();
    }

    [Fact]
    public async Task A_removed_device_loses_its_link_and_gets_no_other()
    {
        await _alice.LoginAsync(_client, _phone);
        await _client.RequestAsync<Done>(new LinkDeviceRequest(Laptop.Id, Link(Laptop)));
        await _client.RequestAsync<Done>(new LinkDeviceRequest(_phone.Id, Link(_phone)));

        await _client.RequestAsync<Done>(new RemoveDeviceRequest(Laptop.Id));

        Assert.Equal(ProtocolError.UnknownDevice, await _client.RefusalAsync(new LinkDeviceRequest(Laptop.Id, Link(Laptop))));
        Assert.Equal(Link(_phone), Assert.Single(await LookUpAsync(_client)).Link);
        Assert.Equal([[], Link(_phone)], (await _server.DevicesAsync()).OrderBy(static row => row.Serial).Select(static row => row.Link));
    }

    private static string Hex(Ed25519PrivateKey key) => Convert.ToHexStringLower(key.PublicKey.Span);

    private static async Task<IReadOnlyList<FoundDevice>> LookUpAsync(TestClient client) =>
        (await client.RequestAsync<ClientFound>(new LookUpClientRequest("alice"))).Devices;

    private byte[] Link(TestDevice device) => DeviceLink.Sign(_accountKey, Alice, device.Id, device.Identity);

    private async Task AssertNothingLinkedAsync()
    {
        Assert.All(await _server.DevicesAsync(), static row => Assert.Empty(row.Link));
        Assert.Empty(await _server.AuditAsync(AuditKind.DeviceLinked));
    }
}
