using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Hosting.Tests.Wire;

public sealed class ServerPeerTests : IAsyncLifetime
{
    private const int Before = 4096;
    private const int After = 16384;

    private static readonly ServerId Peer = ServerId.New();
    private static readonly ErrorReply NotSignedIn = new(ProtocolError.NotSignedIn, 0);

    private WireServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await WireServer.StartAsync(
        ("Wire:PayloadBeforeAuthentication", $"{Before}"), ("Wire:PayloadAfterAuthentication", $"{After}"));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_server_s_channel_knows_its_server_and_no_client()
    {
        var (client, connection) = await _server.ConnectBothAsync();
        using (client)
        {
            Assert.Null(connection.Server);

            await client.SignInServerAsync(Peer);

            Assert.Equal(Peer, connection.Server);
            Assert.Null(connection.Principal);
            await AssertIsServerAsync(client);
        }
    }

    [Fact]
    public async Task A_request_of_servers_is_refused_to_clients_and_to_strangers()
    {
        using var client = await _server.ConnectAsync();
        await client.SendAsync(new WhoAmIRequest(), 5);
        await client.ExpectAsync(NotSignedIn, 5);

        await client.SignInAsync();
        await client.SendAsync(new WhoAmIRequest(), 6);
        await client.ExpectAsync(NotSignedIn, 6);
    }

    [Fact]
    public async Task A_request_of_clients_is_refused_to_servers()
    {
        using var client = await _server.ConnectAsync();
        await client.SignInServerAsync(Peer);

        await client.SendAsync(new FillRequest(3), 5);

        await client.ExpectAsync(NotSignedIn, 5);
        await AssertIsServerAsync(client);
    }

    [Fact]
    public async Task What_was_proven_last_counts()
    {
        var (client, connection) = await _server.ConnectBothAsync();
        using (client)
        {
            await client.SignInAsync();
            await client.SignInServerAsync(Peer);
            await client.SendAsync(new FillRequest(3), 5);
            await client.ExpectAsync(NotSignedIn, 5);

            await client.SignInAsync();
            Assert.Null(connection.Server);
            await client.SendAsync(new WhoAmIRequest(), 6);
            await client.ExpectAsync(NotSignedIn, 6);

            await client.SignInServerAsync(Peer);
            await client.SignInAsync(seconds: 0);
            Assert.Null(connection.Server);
            Assert.Null(connection.Principal);
        }
    }

    [Fact]
    public async Task A_server_s_channel_takes_the_larger_payloads()
    {
        using var client = await _server.ConnectAsync();
        await client.SignInServerAsync(Peer);

        await client.SendAsync(new EchoRequest(new byte[After - 100]), 5);

        Assert.Equal(After - 100, (await client.ExpectReplyAsync(5)).Length);
    }

    [Fact]
    public async Task A_server_s_channel_does_not_end_by_time()
    {
        using var stranger = await _server.ConnectAsync();
        await stranger.EchoAsync();
        using var client = await _server.ConnectAsync();
        await client.SignInAsync(seconds: 90);
        await client.SignInServerAsync(Peer);

        for (var days = 0; days < 400; days++)
        {
            _server.Time.Advance(TimeSpan.FromDays(1));
        }

        await stranger.ExpectEndAsync(NoticeKind.SessionEnded);
        await AssertIsServerAsync(client);
    }

    [Fact]
    public async Task A_server_s_channel_ends_when_the_server_says_so()
    {
        var (client, connection) = await _server.ConnectBothAsync();
        using (client)
        {
            await client.SignInServerAsync(Peer);

            connection.Close(NoticeKind.SessionEnded);

            await client.ExpectEndAsync(NoticeKind.SessionEnded);
        }
    }

    private static async Task AssertIsServerAsync(WireClient client)
    {
        await client.SendAsync(new WhoAmIRequest(), 9);
        Assert.Equal(Peer.Value.ToByteArray(bigEndian: true), await client.ExpectReplyAsync(9));
    }
}
