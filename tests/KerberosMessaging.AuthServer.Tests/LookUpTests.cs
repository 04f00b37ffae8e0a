using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class LookUpTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private TestAccount _alice = null!;
    private TestTicket _ticket = null!;
    private TestClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        (_alice, _ticket, _client) = await _server.SignUpAsync("Alice");
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("Alice")]
    [InlineData("alice")]
    [InlineData("ＡＬＩＣＥ")]
    public async Task A_client_is_found_by_any_form_of_its_name_and_shown_as_it_registered(string name)
    {
        var found = await LookUpAsync(name);

        Assert.Equal((_ticket.Part.Client, "Alice"), (found.Client, found.Name));
        Assert.Equal(_ticket.Part.Certificate, Assert.Single(found.Devices).Certificate);
    }

    [Theory]
    [InlineData("bob")]
    [InlineData("alic")]
    [InlineData("alice ")]
    [InlineData("")]
    [InlineData("%")]
    [InlineData("a\uFFFE")]
    public async Task Any_other_name_is_unknown(string name) =>
        Assert.Equal(ProtocolError.UnknownClient, await _client.RefusalAsync(new LookUpClientRequest(name)));

    [Fact]
    public async Task The_certificates_of_active_devices_are_listed_oldest_first()
    {
        var second = await _client.LoginAsync(_alice, new TestDevice());
        var third = await _client.LoginAsync(_alice, new TestDevice());
        Assert.Equal(
            [_ticket.Part.Certificate, second.Part.Certificate, third.Part.Certificate],
            (await LookUpAsync("alice")).Devices.Select(static device => device.Certificate));

        await _server.ReadAsync(database =>
        {
            database.Devices.OrderBy(static row => row.Serial).First().RevokedAt = DateTimeOffset.UnixEpoch;
            return database.SaveChangesAsync(Cancel);
        });

        var certificates = (await LookUpAsync("alice")).Devices.Select(static device => device.Certificate);
        Assert.Equal([second.Part.Certificate, third.Part.Certificate], certificates);
        Assert.All((await LookUpAsync("alice")).Devices, static device => Assert.Empty(device.Link));
        Assert.All(
            certificates,
            bytes => Assert.Equal(_ticket.Part.Client, DeviceCertificate.TryRead(bytes, _server.Keys.Realm.PublicKey.Span)?.Client));
    }

    [Fact]
    public async Task A_client_that_never_logged_in_has_no_certificate()
    {
        await SampleRecord.RegisterAsync(_client, "bob");

        Assert.Empty((await LookUpAsync("bob")).Devices);
    }

    [Fact]
    public async Task Without_a_message_server_there_is_no_home_and_the_first_one_becomes_it_for_good()
    {
        Assert.True((await LookUpAsync("alice")).HomeServer.IsZero);
        var first = await _server.EnrolAsync();
        Assert.Equal(first.Registered.Server, (await LookUpAsync("alice")).HomeServer);

        await _server.EnrolAsync("msg-2");
        await _server.EnrolAsync("msg-3");

        Assert.Equal(first.Registered.Server, (await LookUpAsync("alice")).HomeServer);
    }

    [Fact]
    public async Task New_homes_are_spread_over_the_servers()
    {
        await _server.EnrolAsync("msg-1");
        await _server.EnrolAsync("msg-2");
        await _server.EnrolAsync("msg-3");
        var homes = new List<ServerId>();
        for (var i = 0; i < 9; i++)
        {
            await SampleRecord.RegisterAsync(_client, $"client-{i}");
            homes.Add((await LookUpAsync($"client-{i}")).HomeServer);
        }

        Assert.Equal([3, 3, 3], homes.CountBy(static home => home).Select(static count => count.Value));
    }

    [Fact]
    public async Task Looked_up_many_times_at_once_a_client_gets_one_home()
    {
        await _server.EnrolAsync("msg-1");
        await _server.EnrolAsync("msg-2");
        var clients = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            var client = await _server.ConnectAsync();
            await client.PresentAsync(_ticket);
            return client;
        }));

        var found = await Task.WhenAll(clients.Select(static client =>
            client.RequestAsync<ClientFound>(new LookUpClientRequest("alice"))));

        Assert.False(Assert.Single(found.Select(static client => client.HomeServer).Distinct()).IsZero);
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    private Task<ClientFound> LookUpAsync(string name) => _client.RequestAsync<ClientFound>(new LookUpClientRequest(name));
}
