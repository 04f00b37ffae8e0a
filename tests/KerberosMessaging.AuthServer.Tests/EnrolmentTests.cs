using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class EnrolmentTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private TestClient _client = null!;
    private string _token = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _client = await _server.ConnectAsync();
        _token = await AuthServerApp.CreateEnrolmentTokenAsync(_server.App);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task An_enrolled_server_is_given_its_keys_and_listed()
    {
        var request = TestMessageServer.Request(_client, _token, "Büro", "msg.example", 4711);

        var registered = await _client.RequestAsync<ServerRegistered>(request);

        var realmKey = _server.Keys.Realm.PublicKey.ToArray();
        var serviceKey = Assert.Single(registered.Keys.ServiceKeys);
        Assert.Equal(1u, serviceKey.Version);
        Assert.Contains(serviceKey.Key, static value => value != 0);
        Assert.Equal(realmKey, registered.Keys.RealmKey);
        var ticketSigningKey = Assert.Single(registered.Keys.TicketSigningKeys);
        Assert.Equal(1u, ticketSigningKey.Version);
        Assert.Equal(_server.Keys.TicketSigning[1].PublicKey.ToArray(), ticketSigningKey.Key);
        Assert.NotEqual(realmKey, ticketSigningKey.Key);
        var (_, _, alice) = await _server.SignUpAsync("alice");
        await using (alice)
        {
            var listed = Assert.Single((await alice.RequestAsync<ServerList>(new ListServersRequest())).Servers);
            Assert.Equal((registered.Server, "Büro", "msg.example", 4711), (listed.Server, listed.Name, listed.Host, listed.Port));
            Assert.Equal(request.SigningKey, listed.SigningKey);
        }
    }

    [Fact]
    public async Task A_server_that_does_not_prove_its_key_on_this_channel_is_refused_and_the_token_is_not_spent()
    {
        await using var other = await _server.ConnectAsync();
        var request = TestMessageServer.Request(_client, _token);

        await AssertRefusedAsync(request with { Signature = new byte[64] });
        await AssertRefusedAsync(request with { SigningKey = TestMessageServer.Request(_client, _token).SigningKey });
        await AssertRefusedAsync(request with { Signature = TestMessageServer.Request(_client, "another token").Signature });
        Assert.Equal(ProtocolError.EnrolmentRefused, await other.RefusalAsync(request));
        Assert.Empty(await ServersAsync());

        await _client.RequestAsync<ServerRegistered>(request);
    }

    [Fact]
    public async Task A_token_is_good_once()
    {
        await TestMessageServer.EnrolAsync(_client, _token);

        await AssertRefusedAsync(TestMessageServer.Request(_client, _token, "msg-2"));
        Assert.Single(await ServersAsync());
    }

    [Fact]
    public async Task Of_16_that_use_a_token_at_once_one_succeeds()
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => _server.ConnectAsync()));

        var refusals = await Task.WhenAll(clients.Select(async (client, i) =>
        {
            try
            {
                await TestMessageServer.EnrolAsync(client, _token, $"msg-{i}");
                return (ProtocolError?)null;
            }
            catch (Transport.RequestRefusedException e)
            {
                return e.Error;
            }
        }));

        Assert.Single(refusals, static refusal => refusal is null);
        Assert.Equal(15, refusals.Count(static refusal => refusal == ProtocolError.EnrolmentRefused));
        Assert.Single(await ServersAsync());
        Assert.Empty(_server.Log.Errors);
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Different_tokens_enrol_at_once()
    {
        var tokens = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            tokens.Add(await AuthServerApp.CreateEnrolmentTokenAsync(_server.App));
        }

        var clients = await Task.WhenAll(tokens.Select(_ => _server.ConnectAsync()));
        var enrolled = await Task.WhenAll(clients.Select((client, i) => TestMessageServer.EnrolAsync(client, tokens[i], $"msg-{i}")));

        Assert.Equal(8, enrolled.Select(static server => server.Registered.Server).Distinct().Count());
        Assert.Equal(8, enrolled.Select(static server => Convert.ToHexString(server.ServiceKey)).Distinct().Count());
        Assert.Equal(8, (await ServersAsync()).Count);
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_token_expires()
    {
        var later = await AuthServerApp.CreateEnrolmentTokenAsync(_server.App);
        _server.Time.Advance(TimeSpan.FromHours(24) - TimeSpan.FromMilliseconds(1));
        await using (var inTime = await _server.ConnectAsync())
        {
            await TestMessageServer.EnrolAsync(inTime, _token);
        }

        _server.Time.Advance(TimeSpan.FromMilliseconds(1));
        await using var tooLate = await _server.ConnectAsync();
        Assert.Equal(ProtocolError.EnrolmentRefused, await tooLate.RefusalAsync(TestMessageServer.Request(_client, later)));
    }

    [Fact]
    public async Task An_unknown_token_is_refused()
    {
        foreach (var token in new[] { "", "kmsg_enrol_", _token[..^1], _token + "A", _token.ToUpperInvariant(), " " + _token, new string('a', ProtocolLimits.TokenBytes) })
        {
            await AssertRefusedAsync(TestMessageServer.Request(_client, token));
        }

        await TestMessageServer.EnrolAsync(_client, _token);
    }

    [Theory]
    [InlineData("", "msg.example", 1257)]
    [InlineData("msg-1", "", 1257)]
    [InlineData("msg-1", "not a host", 1257)]
    [InlineData("msg-1", "msg.example:1257", 1257)]
    [InlineData("msg-1", "http://msg.example", 1257)]
    [InlineData("msg-1", "msg.example/", 1257)]
    [InlineData("msg-1", "msg.example", 0)]
    public async Task A_server_that_clients_could_not_be_told_of_is_refused_and_the_token_is_not_spent(string name, string host, ushort port)
    {
        await AssertRefusedAsync(TestMessageServer.Request(_client, _token, name, host, port));

        await TestMessageServer.EnrolAsync(_client, _token);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("msg-1")]
    [InlineData("192.0.2.7")]
    [InlineData("2001:db8::7")]
    public async Task A_host_is_a_name_or_an_address(string host) =>
        await _client.RequestAsync<ServerRegistered>(TestMessageServer.Request(_client, _token, host: host));

    [Fact]
    public async Task The_token_is_kept_nowhere()
    {
        await TestMessageServer.EnrolAsync(_client, _token);
        var unused = await AuthServerApp.CreateEnrolmentTokenAsync(_server.App);

        foreach (var (name, bytes) in _server.Folder.AllFiles())
        {
            Assert.True(bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(_token)) < 0, name);
            Assert.True(bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(unused)) < 0, name);
        }

        Assert.DoesNotContain(_server.Log.Lines, line => line.Text.Contains(_token, StringComparison.Ordinal));
        Assert.DoesNotContain(_server.Log.Lines, line => line.Text.Contains(unused, StringComparison.Ordinal));
    }

    private async Task AssertRefusedAsync(RegisterServerRequest request) =>
        Assert.Equal(ProtocolError.EnrolmentRefused, await _client.RefusalAsync(request));

    private Task<List<Persistence.MessageServerRow>> ServersAsync() =>
        _server.ReadAsync(static database => database.MessageServers.AsNoTracking().ToListAsync(Cancel));
}
