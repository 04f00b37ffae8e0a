using System.Diagnostics;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Hosting.Tests.Wire;

public sealed class StopTests : IAsyncLifetime
{
    private const uint RetryAfter = 3;

    // What the system promises its operators for idle clients.
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(2);

    // For peers that do not let go: the grace, and a second for what could not be sent by then.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private WireServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await WireServer.StartAsync(
        ("Wire:DrainGraceSeconds", $"{Grace.TotalSeconds}"), ("Wire:DrainRetryAfterSeconds", $"{RetryAfter}"));

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
            await client.ExpectShutdownAsync(RetryAfter);
            client.Dispose();
        }

        foreach (var client in silent)
        {
            Assert.Empty(await client.ReadToEndAsync());
            client.Dispose();
        }
    }

    [Fact]
    public async Task Requests_that_wait_are_given_up_when_the_grace_is_over()
    {
        using var slow = await _server.ConnectAsync();
        await slow.SendAsync(new SlowRequest("slow"), 1);
        using var pipelined = await _server.ConnectAsync();
        pipelined.Write(new PipelinedRequest("one"), 1);
        pipelined.Write(new PipelinedRequest("two"), 2);
        await pipelined.FlushAsync();
        await _server.State.StartedAsync("slow");
        await _server.State.StartedAsync("two");

        await StopAsync(Grace + AtMost);

        await slow.ExpectShutdownAsync(RetryAfter);
        await pipelined.ExpectShutdownAsync(RetryAfter);
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

        await StopAsync(Grace + AtMost);
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

        await StopAsync(Grace + AtMost);

        Assert.Equal(3000, (await client.ExpectReplyAsync(2)).Length);
        await client.ExpectShutdownAsync(RetryAfter);
    }

    [Fact]
    public async Task What_is_in_flight_is_answered_and_then_the_notice_comes()
    {
        using var client = await _server.ConnectAsync();
        client.Write(new PipelinedRequest("one"), 1);
        client.Write(new PipelinedRequest("two"), 2);
        client.Write(new SlowRequest("three"), 3);
        client.Write(new EchoRequest([4]), 4);
        await client.FlushAsync();
        await _server.State.StartedAsync("three");

        var stopping = StopAsync(Grace + AtMost);
        await Wait.UntilAsync(() => _server.Drain.State == DrainState.Stopping);
        _server.State.Open("two");
        await client.ExpectReplyAsync(2);
        _server.State.Open("three");
        await client.ExpectReplyAsync(3);
        _server.State.Open("one");
        await client.ExpectReplyAsync(1);

        // The fourth was not taken, and its sender knows that by the end of the connection.
        await client.ExpectShutdownAsync(RetryAfter);
        await stopping;
    }

    private async Task StopAsync(TimeSpan? atMost = null)
    {
        var watch = Stopwatch.StartNew();
        await Wait.ForAsync(_server.App.StopAsync(Cancel));

        Assert.True(watch.Elapsed < (atMost ?? AtMost), $"{watch.Elapsed}");
        Assert.Equal(0, _server.Connections.Count);
        Assert.Empty(_server.Errors);
    }
}
