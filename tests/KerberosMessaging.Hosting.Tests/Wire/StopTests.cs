using System.Diagnostics;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Hosting.Tests.Wire;

public sealed class StopTests : IAsyncLifetime
{
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(2);

    private WireServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await WireServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Idle_clients_are_told_and_gone_within_two_seconds()
    {
        var silent = new List<WireClient>();
        var clients = new List<WireClient>();
        for (var i = 0; i < 5; i++)
        {
            // In the middle of the handshake: not a byte sent, or half a hello.
            silent.Add(await WireClient.OpenAsync(_server.Port));
            await silent[i].SendBytesAsync(new byte[i == 0 ? 0 : 16]);
        }

        for (var i = 0; i < 15; i++)
        {
            clients.Add(await _server.ConnectAsync());
            await clients[i].EchoAsync();
            if (i % 2 == 0)
            {
                await clients[i].SignInAsync();
            }
        }

        await StopAsync();

        foreach (var client in clients)
        {
            await client.ExpectEndAsync(NoticeKind.ShuttingDown, retryAfter: 1000);
            client.Dispose();
        }

        foreach (var client in silent)
        {
            Assert.Empty(await client.ReadToEndAsync());
            client.Dispose();
        }
    }

    [Fact]
    public async Task Requests_that_wait_are_given_up()
    {
        using var slow = await _server.ConnectAsync();
        await slow.SendAsync(new SlowRequest("slow"), 1);
        using var pipelined = await _server.ConnectAsync();
        pipelined.Write(new PipelinedRequest("one"), 1);
        pipelined.Write(new PipelinedRequest("two"), 2);
        await pipelined.FlushAsync();
        await _server.State.StartedAsync("slow");
        await _server.State.StartedAsync("two");

        await StopAsync();

        await slow.ExpectEndAsync(NoticeKind.ShuttingDown, retryAfter: 1000);
        await pipelined.ExpectEndAsync(NoticeKind.ShuttingDown, retryAfter: 1000);
    }

    [Fact]
    public async Task A_client_that_never_reads_does_not_hold_up_the_stop()
    {
        using var client = await WireClient.ConnectAsync(_server.Port, _server.RealmKey, receiveBuffer: 4096);
        await client.SignInAsync();
        for (uint i = 10; i < 42; i++)
        {
            client.Write(new FillRequest(900_000), i);
        }

        client.Write(new SlowRequest("behind"), 50);
        await client.FlushAsync();
        await _server.State.StartedAsync("behind");
        _server.State.Open("behind");

        await StopAsync();
    }

    [Fact]
    public async Task A_client_that_never_reads_its_first_bytes_does_not_hold_up_the_stop()
    {
        using var client = await WireClient.OpenAsync(_server.Port, receiveBuffer: 4096);
        await client.SendBytesAsync(new byte[27]);

        await StopAsync();
    }

    [Fact]
    public async Task What_was_answered_before_the_stop_arrives_before_the_notice()
    {
        using var client = await _server.ConnectAsync();
        await client.SendAsync(new PipelinedRequest("held"), 1);
        await client.SendAsync(new EchoRequest(new byte[3000]), 2);
        await client.SendAsync(new SlowRequest("last"), 3);
        await _server.State.StartedAsync("last");

        await StopAsync();

        Assert.Equal(3000, (await client.ExpectReplyAsync(2)).Length);
        await client.ExpectEndAsync(NoticeKind.ShuttingDown, retryAfter: 1000);
    }

    private async Task StopAsync()
    {
        var watch = Stopwatch.StartNew();
        await Wait.ForAsync(_server.App.StopAsync(Cancel));

        Assert.True(watch.Elapsed < AtMost, $"{watch.Elapsed}");
        Assert.Equal(0, _server.Connections.Count);
        Assert.Empty(_server.Errors);
    }
}
