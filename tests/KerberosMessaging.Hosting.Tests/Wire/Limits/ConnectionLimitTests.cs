using System.Buffers;
using System.Diagnostics;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Tests.Wire.Limits;

public sealed class ConnectionLimitTests : IAsyncDisposable
{
    private const string Here = "127.0.0.1";
    private const string There = "127.0.0.2";

    private readonly List<WireClient> _clients = [];
    private WireServer _server = null!;
    private MeterRecorder _meter = null!;

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(static client => client.Dispose());
        _meter?.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task So_many_connections_are_open_and_no_more()
    {
        await StartAsync(("Connections", "3"));
        for (var i = 0; i < 3; i++)
        {
            await ConnectAsync(i == 0 ? Here : There);
        }

        await AssertTurnedAwayAsync(Here, TimeSpan.FromSeconds(5));
        await AssertTurnedAwayAsync(There, TimeSpan.FromSeconds(5));

        await AssertAllServedAsync();
        Assert.Equal(3, _meter["kmsg.connections.open"]);
        Assert.Equal(2, _meter["kmsg.limits.refused Connections"]);
        Assert.Equal(2, _meter["kmsg.errors.sent Overloaded"]);
        Assert.Equal(3, _meter["kmsg.handshakes.started"]);
        await AssertFreedByAsync(() => _clients[1].Dispose(), Here);
    }

    [Fact]
    public async Task One_address_has_so_many_connections_and_no_more()
    {
        await StartAsync(("ConnectionsPerAddress", "2"));
        await ConnectAsync(Here);
        await ConnectAsync(Here);

        await AssertTurnedAwayAsync(Here, TimeSpan.FromSeconds(5));

        await ConnectAsync(There);
        await AssertAllServedAsync();
        Assert.Equal(1, _meter["kmsg.limits.refused ConnectionsPerAddress"]);
        await AssertFreedByAsync(() => _clients[0].CutOff(), Here);
    }

    [Fact]
    public async Task So_many_connections_are_in_the_handshake_and_no_more_until_its_deadline()
    {
        await StartAsync(("Handshakes", "4"), ("AddressSharePercent", "100"));
        for (var i = 0; i < 4; i++)
        {
            await OpenSilentAsync(Here);
        }

        await AssertTurnedAwayAsync(Here, TimeSpan.FromSeconds(1));
        await AssertTurnedAwayAsync(There, TimeSpan.FromSeconds(1));
        Assert.Equal(2, _meter["kmsg.limits.refused Handshakes"] + _meter["kmsg.limits.refused HandshakesPerAddress"]);

        await AssertFreedByAsync(() => _server.Time.Advance(TimeSpan.FromSeconds(10)), There);
        Assert.Equal(4, _meter["kmsg.handshakes.failed"]);
        Assert.Equal(4, _meter["kmsg.errors.sent TimedOut"]);
    }

    [Fact]
    public async Task One_address_cannot_take_all_handshakes()
    {
        await StartAsync(("Handshakes", "8"));
        await OpenSilentAsync(Here);
        await OpenSilentAsync(Here);

        await AssertTurnedAwayAsync(Here, TimeSpan.FromSeconds(1));

        Assert.Equal(1, _meter["kmsg.limits.refused HandshakesPerAddress"]);
        await ConnectAsync(There);
        await AssertFreedByAsync(() => _clients[0].Dispose(), Here);
    }

    [Fact]
    public async Task So_many_connections_are_not_signed_in_and_no_more()
    {
        await StartAsync(("NotSignedIn", "2"), ("AddressSharePercent", "100"));
        var first = await ConnectAsync(Here);
        var second = await ConnectAsync(There);
        await AssertTurnedAwayAsync(Here, TimeSpan.FromSeconds(5));
        Assert.Equal(1, _meter["kmsg.limits.refused NotSignedIn"]);

        // Both kinds of sign-in make room.
        await first.SignInAsync();
        var third = await ConnectAsync(Here);
        await AssertTurnedAwayAsync(There, TimeSpan.FromSeconds(5));
        await second.SignInServerAsync(ServerId.New());
        var fourth = await ConnectAsync(There);
        await AssertTurnedAwayAsync(There, TimeSpan.FromSeconds(5));

        // Who signs out stays, and counts.
        await third.SignInAsync();
        await third.SignInAsync(seconds: 0);
        await AssertTurnedAwayAsync(Here, TimeSpan.FromSeconds(5));
        await fourth.SignInAsync();
        await AssertAllServedAsync();
        await ConnectAsync(Here);
    }

    [Fact]
    public async Task Those_that_do_not_sign_in_make_room_at_the_deadline()
    {
        await StartAsync(("NotSignedIn", "8"), ("AddressSharePercent", "25"));
        await ConnectAsync(Here);
        await ConnectAsync(Here);
        await AssertTurnedAwayAsync(Here, TimeSpan.FromSeconds(5));
        Assert.Equal(1, _meter["kmsg.limits.refused NotSignedInPerAddress"]);
        await ConnectAsync(There);

        await AssertFreedByAsync(() => _server.Time.Advance(TimeSpan.FromSeconds(60)), Here);
    }

    [Fact]
    public async Task One_address_makes_so_many_connections_a_second()
    {
        await StartAsync(("ConnectionsPerSecondPerAddress", "1"), ("ConnectionsBurstPerAddress", "3"));

        var (admitted, elapsed) = await ConnectUntilTurnedAwayAsync(Here, mostWait: TimeSpan.FromSeconds(1));

        Assert.InRange(admitted, 3, 3 + elapsed.TotalSeconds + 1);
        Assert.Equal(1, _meter["kmsg.limits.refused ConnectionRatePerAddress"]);
        await ConnectAsync(There);
        await AssertAllServedAsync();
        await AssertFreedByAsync(static () => { }, Here);
    }

    [Fact]
    public async Task All_together_make_so_many_connections_a_second()
    {
        await StartAsync(("ConnectionsPerSecond", "1"), ("ConnectionsBurst", "3"));

        var (admitted, elapsed) = await ConnectUntilTurnedAwayAsync(Here, mostWait: TimeSpan.FromSeconds(1));

        Assert.InRange(admitted, 3, 3 + elapsed.TotalSeconds + 1);
        Assert.Equal(1, _meter["kmsg.limits.refused ConnectionRate"]);
        await AssertFreedByAsync(static () => { }, There);
    }

    [Fact]
    public async Task Who_is_turned_away_reads_why_even_with_a_hello_on_its_way()
    {
        await StartAsync(("Connections", "1"));
        await ConnectAsync(Here);

        for (var i = 0; i < 50; i++)
        {
            var refusal = await Assert.ThrowsAsync<ChannelException>(() => _server.ConnectAsync(Here));
            Assert.Equal(ProtocolError.Overloaded, refusal.PeerError);
        }

        await AssertAllServedAsync();
    }

    [Fact]
    public async Task Connections_that_fail_give_back_all_they_had()
    {
        await StartAsync(("Connections", "4"), ("Handshakes", "4"), ("NotSignedIn", "4"), ("AddressSharePercent", "100"));
        for (var i = 0; i < 20; i++)
        {
            using var client = i % 4 == 3 ? await TryConnectAsync(Here) : await WireClient.OpenAsync(_server.Port);
            switch (i % 4)
            {
                case 0:
                    await client!.SendBytesAsync("GET / HTTP/1.1\r\nHost: realm\r\n\r\n"u8.ToArray());
                    await client.ReadToEndAsync();
                    break;
                case 1:
                    await client!.SendBytesAsync(new byte[5]);
                    client.CutOff();
                    break;
                case 2:
                    client!.CutOff();
                    break;
            }
        }

        _clients.Clear();
        await Wait.UntilAsync(() => _meter["kmsg.connections.open"] == 0);
        for (var i = 0; i < 4; i++)
        {
            await AssertFreedByAsync(static () => { }, Here);
        }

        await AssertAllServedAsync();
    }

    [Fact]
    public async Task A_limit_that_is_reached_is_told_to_the_log_once_a_minute()
    {
        await StartAsync(("Connections", "1"));
        await ConnectAsync(Here);
        for (var i = 0; i < 5; i++)
        {
            await AssertTurnedAwayAsync(Here, TimeSpan.FromSeconds(5));
        }

        Assert.Equal(1, Warnings());
        await _clients[0].SignInAsync();
        _server.Time.Advance(TimeSpan.FromMinutes(1));
        await AssertTurnedAwayAsync(Here, TimeSpan.FromSeconds(5));
        await AssertTurnedAwayAsync(Here, TimeSpan.FromSeconds(5));
        Assert.Equal(2, Warnings());

        int Warnings() => _server.Log.Lines.Count(static line =>
            line.Level == LogLevel.Warning && line.Text.Contains("Connections", StringComparison.Ordinal));
    }

    private async Task StartAsync(params (string Option, string Value)[] limits)
    {
        _server = await WireServer.StartAsync([.. limits.Select(static limit => ($"Limits:{limit.Option}", limit.Value))]);
        _meter = new MeterRecorder(_server);
    }

    private async Task<WireClient> ConnectAsync(string from)
    {
        var client = await _server.ConnectAsync(from);
        _clients.Add(client);
        await client.EchoAsync();
        return client;
    }

    private async Task<WireClient?> TryConnectAsync(string from)
    {
        try
        {
            return await ConnectAsync(from);
        }
        catch (ChannelException e) when (e.PeerError == ProtocolError.Overloaded)
        {
            return null;
        }
    }

    // The server has come to wait for its hello.
    private async Task OpenSilentAsync(string from)
    {
        var before = _meter["kmsg.handshakes.started"];
        _clients.Add(await WireClient.OpenAsync(_server.Port, from: from));
        await Wait.UntilAsync(() => _meter["kmsg.handshakes.started"] > before);
    }

    private async Task<(int Admitted, TimeSpan Elapsed)> ConnectUntilTurnedAwayAsync(string from, TimeSpan mostWait)
    {
        var watch = Stopwatch.StartNew();
        for (var admitted = 0; ; admitted++)
        {
            using var client = await WireClient.OpenAsync(_server.Port, from: from);
            var reading = client.ReadToEndAsync();
            await Wait.UntilAsync(() => reading.IsCompleted || _meter["kmsg.handshakes.started"] > admitted);
            if (_meter["kmsg.handshakes.started"] == admitted)
            {
                var retryAfter = RetryAfter(await reading);
                Assert.InRange(retryAfter, TimeSpan.FromMilliseconds(100), mostWait);
                return (admitted, watch.Elapsed);
            }
        }
    }

    private async Task AssertTurnedAwayAsync(string from, TimeSpan retryAfter)
    {
        using var client = await WireClient.OpenAsync(_server.Port, from: from);

        Assert.Equal(retryAfter, RetryAfter(await client.ReadToEndAsync()));
    }

    private static TimeSpan RetryAfter(byte[] bytes)
    {
        Assert.Equal(FrameHeader.Size + 6, bytes.Length);
        Assert.True(FrameHeader.TryRead(new ReadOnlySequence<byte>(bytes), 6, out var header));
        Assert.Equal(new FrameHeader(default, MessageCode.Error, 0, 6), header);
        var error = WireReader.ReadWhole<ErrorReply>(bytes.AsSpan(FrameHeader.Size));
        Assert.Equal(ProtocolError.Overloaded, error.Error);
        return TimeSpan.FromMilliseconds(error.RetryAfterMilliseconds);
    }

    private Task AssertFreedByAsync(Action action, string from)
    {
        action();
        return Wait.UntilAsync(async () => await TryConnectAsync(from) is not null);
    }

    private async Task AssertAllServedAsync()
    {
        foreach (var client in _clients)
        {
            await client.EchoAsync();
        }

        Assert.Empty(_server.Errors);
    }
}
