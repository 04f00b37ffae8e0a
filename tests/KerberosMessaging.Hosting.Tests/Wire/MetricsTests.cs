using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Hosting.Tests.Wire;

public sealed class MetricsTests : IAsyncLifetime
{
    private WireServer _server = null!;
    private MeterRecorder _meter = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await WireServer.StartAsync();
        _meter = new MeterRecorder(_server);
    }

    public async ValueTask DisposeAsync()
    {
        _meter.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Connections_and_handshakes_are_counted()
    {
        using (var client = await _server.ConnectAsync())
        {
            await client.EchoAsync();
            Assert.Equal(1, _meter["kmsg.connections.open"]);
            using var stranger = await WireClient.OpenAsync(_server.Port);
            await stranger.SendBytesAsync("SSH-2.0-OpenSSH_9.2p1 Debian\r\n"u8.ToArray());
            await stranger.ReadToEndAsync();
        }

        await Wait.UntilAsync(() => _meter["kmsg.connections.open"] == 0);
        Assert.Equal(2, _meter["kmsg.handshakes.started"]);
        Assert.Equal(1, _meter["kmsg.handshakes.failed"]);
        Assert.Equal(1, _meter["kmsg.errors.sent UnsupportedVersion"]);
    }

    [Fact]
    public async Task Requests_are_counted_by_code_and_outcome()
    {
        using (var client = await _server.ConnectAsync())
        {
            await client.EchoAsync();
            await client.EchoAsync();
            await client.SendAsync(new FillRequest(3), 4);
            await client.ExpectAsync(new ErrorReply(ProtocolError.NotSignedIn, 0), 4);
            await client.SendAsync(new PipelinedRequest("gate"), 5);
            _server.State.Open("gate");
            await client.ExpectReplyAsync(5);
            await client.SendAsync(new RawMessage(EchoRequest.Code, [1]), 6);
            await client.ExpectEndAsync(ProtocolError.Malformed);
        }

        using (var client = await _server.ConnectAsync())
        {
            await client.SendAsync(new FailRequest("bug", ""), 1);
            await client.ExpectEndAsync(ProtocolError.Internal);
        }

        foreach (var code in new ushort[] { 1, 64_999 })
        {
            using var client = await _server.ConnectAsync();
            await client.SendAsync(new RawMessage((MessageCode)code, []), 1);
            await client.ExpectEndAsync(ProtocolError.UnknownCode);
        }

        using (var client = await _server.ConnectAsync())
        {
            await client.SendAsync(new SlowRequest("for ever"), 1);
            await _server.State.StartedAsync("for ever");
        }

        await Wait.UntilAsync(() => _meter["kmsg.frames.received RegisterClient Abandoned"] == 1);
        Assert.Equal(2, _meter["kmsg.frames.received LookUpClient Answered"]);
        Assert.Equal(1, _meter["kmsg.frames.received LookUpClient Malformed"]);
        Assert.Equal(1, _meter["kmsg.frames.received ListServers Refused"]);
        Assert.Equal(1, _meter["kmsg.frames.received SendMessage Answered"]);
        Assert.Equal(1, _meter["kmsg.frames.received FinishRegistration Failed"]);
        Assert.Equal(2, _meter["kmsg.frames.received Unknown Malformed"]);
        Assert.Equal(1, _meter["kmsg.errors.sent NotSignedIn"]);
        Assert.Equal(1, _meter["kmsg.errors.sent Malformed"]);
        Assert.Equal(1, _meter["kmsg.errors.sent Internal"]);
        Assert.Equal(2, _meter["kmsg.errors.sent UnknownCode"]);

        // Only what a handler saw has a duration.
        Assert.Equal(
            ["FinishRegistration", "LookUpClient", "RegisterClient", "SendMessage"],
            _meter.Names.Where(static name => name.StartsWith("kmsg.handler.duration", StringComparison.Ordinal))
                .Select(static name => name.Split(' ')[1]).Order());
    }

    [Fact]
    public async Task A_handler_s_duration_is_in_seconds()
    {
        using var client = await _server.ConnectAsync();
        await client.SendAsync(new SlowRequest("slow"), 1);
        await _server.State.StartedAsync("slow");
        _server.Time.Advance(TimeSpan.FromMilliseconds(2500));
        _server.State.Open("slow");
        await client.ExpectReplyAsync(1);

        Assert.Equal(2.5, _meter["kmsg.handler.duration RegisterClient"]);
    }
}
