using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Hosting.Tests.Wire;

/// <summary>The server finds peers that have gone without a word. It looks every second here.</summary>
public sealed class KeepAliveTests : IAsyncLifetime
{
    private static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan DeadAfter = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private WireServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await WireServer.StartAsync(
        ("Wire:PingAfterSeconds", $"{PingAfter.TotalSeconds}"),
        ("Wire:DeadAfterSeconds", $"{DeadAfter.TotalSeconds}"),
        ("Wire:SignInDeadlineSeconds", "3600"));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_silent_peer_is_asked_and_given_up(bool isServer)
    {
        using var client = await _server.ConnectAsync();
        await SignInAsync(client, isServer);
        var started = _server.Time.GetUtcNow();

        await PassAsync(client.ExpectAsync(new AreYouThere(), 0));
        Assert.InRange(_server.Time.GetUtcNow() - started, PingAfter, TimeSpan.MaxValue);

        await PassAsync(client.ExpectEndAsync(ProtocolError.TimedOut));
        Assert.InRange(_server.Time.GetUtcNow() - started, DeadAfter, TimeSpan.MaxValue);
        await Wait.UntilAsync(() => _server.Connections.Count == 0);
        Assert.Empty(_server.Errors);
    }

    [Fact]
    public async Task A_peer_that_answers_is_kept()
    {
        using var client = await _server.ConnectAsync();
        await client.SignInAsync();
        for (uint i = 10; i < 14; i++)
        {
            await PassAsync(client.ExpectAsync(new AreYouThere(), 0));
            await client.SendAsync(new PingRequest(), i);
            await client.ExpectAsync(new Done(), i);
        }
    }

    [Fact]
    public async Task A_peer_that_is_heard_is_not_asked()
    {
        using var silent = await _server.ConnectAsync();
        await silent.SignInAsync();
        using var busy = await _server.ConnectAsync();
        await busy.SignInAsync();
        using var pinging = await _server.ConnectAsync();
        await pinging.SignInAsync();

        var ending = ReadToEndAsync(silent);
        while (!ending.IsCompleted)
        {
            _server.Time.Advance(Interval);

            // What comes next is the reply, and nothing else.
            await busy.EchoAsync();
            await pinging.SendAsync(new PingRequest(), 9);
            await pinging.ExpectAsync(new Done(), 9);
        }

        Assert.Equal([MessageCode.AreYouThere, MessageCode.Error], await ending);
    }

    [Fact]
    public async Task A_peer_that_is_not_signed_in_is_not_asked_and_pings_do_not_keep_it()
    {
        using var silent = await _server.ConnectAsync();
        await silent.SignInAsync();
        using var stranger = await _server.ConnectAsync();
        await stranger.EchoAsync();
        await PassAsync(ReadToEndAsync(silent));

        await stranger.SendAsync(new PingRequest(), 9);
        await stranger.ExpectAsync(new Done(), 9);
        _server.Time.Advance(TimeSpan.FromSeconds(3600));

        await stranger.ExpectEndAsync(NoticeKind.SessionEnded);
    }

    [Fact]
    public async Task A_peer_that_reads_nothing_is_given_up()
    {
        using var client = await WireClient.ConnectAsync(_server.Port, _server.RealmKey, receiveBuffer: 4096);
        await client.SignInAsync();
        for (uint i = 10; i < 42; i++)
        {
            client.Write(new FillRequest(900_000), i);
        }

        await client.FlushAsync();

        await Wait.UntilAsync(() =>
        {
            _server.Time.Advance(Interval);
            return _server.Connections.Count == 0;
        });
    }

    [Fact]
    public async Task Pings_are_free()
    {
        await using var server = await WireServer.StartAsync(
            ("Limits:RequestsPerSecondPerClient", "1"), ("Limits:RequestsBurstPerClient", "1"));
        using var client = await server.ConnectAsync();
        await client.SignInAsync();
        for (uint i = 10; i < 30; i++)
        {
            await client.SendAsync(new PingRequest(), i);
            await client.ExpectAsync(new Done(), i);
        }
    }

    private static Task SignInAsync(WireClient client, bool isServer) =>
        isServer ? client.SignInServerAsync(ServerId.New()) : client.SignInAsync();

    private static async Task<List<MessageCode>> ReadToEndAsync(WireClient client)
    {
        var codes = new List<MessageCode>();
        while (await client.ReadAsync() is { } frame)
        {
            codes.Add(frame.Code);
        }

        return codes;
    }

    // An interval at a time, each of which is noticed or not, as on a machine that has much to do.
    private async Task PassAsync(Task until)
    {
        while (!until.IsCompleted)
        {
            _server.Time.Advance(Interval);
            await Task.WhenAny(until, Task.Delay(10, Cancel));
        }

        await until;
    }
}
