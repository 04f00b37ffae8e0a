using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Hosting.Tests.Wire;

/// <summary>Each stage of a connection has the deadline that the options say. All are a hundred seconds here.</summary>
public sealed class DeadlineTests : IAsyncLifetime
{
    private static readonly TimeSpan Almost = TimeSpan.FromSeconds(99);

    private WireServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await WireServer.StartAsync(
        ("Wire:HandshakeDeadlineSeconds", "100"),
        ("Wire:SignInDeadlineSeconds", "100"),
        ("Wire:FrameDeadlineSeconds", "100"));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task The_handshake()
    {
        using var client = await WireClient.OpenAsync(_server.Port);
        await EchoElsewhereAsync();
        var reading = client.ReadToEndAsync();
        _server.Time.Advance(Almost);
        await EchoElsewhereAsync();
        Assert.False(reading.IsCompleted);

        await AdvanceUntilAsync(() => reading.IsCompleted);

        var error = WireReader.ReadWhole<ErrorReply>((await reading).AsSpan(FrameHeader.Size));
        Assert.Equal(ProtocolError.TimedOut, error.Error);
    }

    [Fact]
    public async Task The_sign_in()
    {
        using var client = await _server.ConnectAsync();
        await client.EchoAsync();
        _server.Time.Advance(Almost);
        await client.EchoAsync();

        _server.Time.Advance(TimeSpan.FromSeconds(1));

        await client.ExpectEndAsync(NoticeKind.SessionEnded);
    }

    [Fact]
    public async Task A_frame()
    {
        var (client, connection) = await _server.ConnectBothAsync();
        using (client)
        {
            await client.SignInAsync(seconds: 1_000_000);
            await client.SendBytesAsync(new byte[16]);
            await EchoElsewhereAsync();
            _server.Time.Advance(Almost);
            await EchoElsewhereAsync();
            Assert.False(connection.Closing.IsCancellationRequested);

            var reading = client.ExpectEndAsync(ProtocolError.TimedOut);
            await AdvanceUntilAsync(() => reading.IsCompleted);
            await reading;
        }
    }

    // The server has come to wait for what it was sent before.
    private async Task EchoElsewhereAsync()
    {
        using var other = await _server.ConnectAsync();
        await other.EchoAsync();
    }

    // The server may have begun to wait only after the clock was turned, so the end comes now or a little later.
    private Task AdvanceUntilAsync(Func<bool> isSo) => Wait.UntilAsync(() =>
    {
        _server.Time.Advance(TimeSpan.FromSeconds(1));
        return isSo();
    });
}
