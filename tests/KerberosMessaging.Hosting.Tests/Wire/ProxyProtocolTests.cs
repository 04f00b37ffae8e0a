using System.Text;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Tests.Wire;

public sealed class ProxyProtocolTests
{
    private const string Proxy = "127.0.0.9";

    private static readonly byte[] Header = Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.7 198.51.100.1 40001 1256\r\n");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_behind_a_trusted_proxy_has_its_own_address()
    {
        await using var server = await StartAsync();
        using var client = await WireClient.OpenAsync(server.Port, from: Proxy);
        await client.SendBytesAsync(Header);

        using var channel = await ShakeHandsAsync(server, client);

        await Wait.UntilAsync(() => server.Connections.Count == 1);
        Assert.Equal("192.0.2.7", Assert.Single(server.Connections.All).RemoteAddress);
    }

    [Fact]
    public async Task A_header_may_come_byte_by_byte_and_together_with_what_follows()
    {
        await using var server = await StartAsync();
        using var client = await WireClient.OpenAsync(server.Port, from: Proxy);
        foreach (var value in Header[..^1])
        {
            await client.SendBytesAsync(new[] { value });
        }

        // The last byte and the client's hello leave in one piece.
        await client.Output.WriteAsync(Header.AsMemory(Header.Length - 1), Cancel);
        using var channel = await ShakeHandsAsync(server, client);

        await Wait.UntilAsync(() => server.Connections.Count == 1);
        Assert.Equal("192.0.2.7", Assert.Single(server.Connections.All).RemoteAddress);
    }

    [Fact]
    public async Task Limits_count_the_client_and_not_the_proxy()
    {
        await using var server = await StartAsync(("Limits:ConnectionsPerAddress", "1"));
        using var first = await WireClient.OpenAsync(server.Port, from: Proxy);
        await first.SendBytesAsync(Header);
        using var one = await ShakeHandsAsync(server, first);

        using var other = await WireClient.OpenAsync(server.Port, from: Proxy);
        await other.SendBytesAsync(Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.8 198.51.100.1 40001 1256\r\n"));
        using var two = await ShakeHandsAsync(server, other);
        using var again = await WireClient.OpenAsync(server.Port, from: Proxy);
        await again.SendBytesAsync(Header);

        // Turned away in clear.
        Assert.NotEmpty(await again.ReadToEndAsync());
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("PROXY TCP4 nowhere 198.51.100.1 40001 1256\r\n")]
    public async Task From_a_trusted_proxy_anything_but_a_header_ends_the_connection(string sent)
    {
        await using var server = await StartAsync();
        using var client = await WireClient.OpenAsync(server.Port, from: Proxy);

        await client.SendBytesAsync(Encoding.ASCII.GetBytes(sent));

        Assert.Empty(await client.ReadToEndAsync());
        Assert.Empty(server.Errors);
    }

    [Fact]
    public async Task A_proxy_that_drips_its_header_is_given_up_in_time()
    {
        await using var server = await StartAsync(("Wire:HandshakeDeadlineSeconds", "10"));
        using var client = await WireClient.OpenAsync(server.Port, from: Proxy);
        var ended = client.ReadToEndAsync();

        // A byte and four seconds, again and again: were the deadline to begin anew with each byte, it would never end. Not so many that the line is too long.
        var left = 60;
        await client.SendBytesAsync("PROXY UNKNOWN "u8.ToArray());
        await Wait.UntilAsync(async () =>
        {
            try
            {
                await client.SendBytesAsync(new byte[left-- > 0 ? 1 : 0]);
            }
            catch (IOException)
            {
                // It has ended.
            }

            server.Time.Advance(TimeSpan.FromSeconds(4));
            return ended.IsCompleted;
        });

        Assert.Empty(await ended);
        Assert.Contains(server.Log.Lines, static line => line.Text.StartsWith("1052:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task From_anybody_else_no_header_is_read()
    {
        await using var server = await StartAsync();
        using (var honest = await server.ConnectAsync(from: "127.0.0.10"))
        {
            await honest.EchoAsync();
            Assert.Equal("127.0.0.10", Assert.Single(server.Connections.All).RemoteAddress);
        }

        using var liar = await WireClient.OpenAsync(server.Port, from: "127.0.0.10");
        await liar.SendBytesAsync(Header);
        await liar.ReadToEndAsync();

        await Wait.UntilAsync(() => server.Log.Lines.Any(static line => line.Text.StartsWith("1001:", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("10.0.0.0/33")]
    [InlineData("proxy.example")]
    [InlineData("10.0.0.0/8;fd00::/8")]
    public void What_is_no_network_is_refused(string networks)
    {
        var e = Assert.Throws<OptionsValidationException>(() =>
            WireServer.Build(static _ => { }, isReady: true, ("Wire:ProxyTrustedNetworks", networks))
                .App.Services.GetRequiredService<IOptions<WireOptions>>().Value);

        Assert.Contains("ProxyTrustedNetworks", e.Message, StringComparison.Ordinal);
    }

    private static Task<WireServer> StartAsync(params (string Key, string Value)[] settings) =>
        WireServer.StartAsync([("Wire:ProxyTrustedNetworks", "127.0.0.9/32, fd00::/8"), .. settings]);

    private static Task<SecureChannel> ShakeHandsAsync(WireServer server, WireClient client) => Wait.ForAsync(SecureChannel.ConnectAsync(
        client, key => key.SequenceEqual(server.RealmKey.Span), new ChannelOptions(), Cancel));
}
