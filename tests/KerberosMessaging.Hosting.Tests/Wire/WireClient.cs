using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Hosting.Tests.Wire;

/// <summary>A peer that sends what the test says, frame by frame or byte by byte.</summary>
internal sealed class WireClient : IDuplexPipe, IDisposable
{
    public const string UsualAddress = "127.0.0.1";

    private readonly TcpClient _tcp;
    private SecureChannel? _channel;

    private WireClient(string from) => _tcp = new TcpClient(new IPEndPoint(IPAddress.Parse(from), 0)) { NoDelay = true };

    public PipeReader Input { get; private set; } = null!;

    public PipeWriter Output { get; private set; } = null!;

    public SessionId Session => _channel!.Session;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Connects, and sends nothing.</summary>
    public static async Task<WireClient> OpenAsync(int port, int? receiveBuffer = null, string from = UsualAddress)
    {
        var client = new WireClient(from);
        if (receiveBuffer is { } size)
        {
            client._tcp.ReceiveBufferSize = size;
        }

        await client._tcp.ConnectAsync("127.0.0.1", port, Cancel);
        client.Input = PipeReader.Create(client._tcp.GetStream());
        client.Output = PipeWriter.Create(client._tcp.GetStream());
        return client;
    }

    /// <summary>Connects and does the handshake.</summary>
    public static async Task<WireClient> ConnectAsync(
        int port, ReadOnlyMemory<byte> expectedKey, int? receiveBuffer = null, string from = UsualAddress)
    {
        var client = await OpenAsync(port, receiveBuffer, from);
        client._channel = await Wait.ForAsync(SecureChannel.ConnectAsync(
            client, key => key.SequenceEqual(expectedKey.Span), new ChannelOptions(), Cancel));
        client._channel.PayloadLimit = 16 * 1024 * 1024;
        return client;
    }

    public async Task SendAsync(IWireMessage message, uint requestId)
    {
        Write(message, requestId);
        await FlushAsync();
    }

    /// <summary>Seals a message; <see cref="FlushAsync"/> sends all that were sealed.</summary>
    public void Write(IWireMessage message, uint requestId) => _channel!.Write(message, requestId);

    public async Task FlushAsync() => await _channel!.FlushAsync(Cancel);

    public async Task SendBytesAsync(ReadOnlyMemory<byte> bytes)
    {
        await Output.WriteAsync(bytes, Cancel);
        await Output.FlushAsync(Cancel);
    }

    /// <summary>The next frame; null at a clean end of the stream.</summary>
    public async Task<(MessageCode Code, uint RequestId, byte[] Payload)?> ReadAsync() =>
        await Wait.ForAsync(_channel!.ReadAsync(Cancel).AsTask()) is { } frame
            ? (frame.Code, frame.RequestId, frame.Payload.ToArray())
            : null;

    public async Task<byte[]> ExpectReplyAsync(uint requestId)
    {
        var frame = await ReadAsync();
        Assert.Equal((MessageCode.ClientFound, requestId), (frame?.Code, frame?.RequestId));
        return frame!.Value.Payload;
    }

    public async Task ExpectAsync<T>(T message, uint requestId)
        where T : IWireMessage<T>
    {
        var frame = await ReadAsync();
        Assert.Equal((T.Code, requestId), (frame?.Code, frame?.RequestId));
        Assert.Equal(message, WireReader.ReadWhole<T>(frame!.Value.Payload));
    }

    /// <summary>The server says what is wrong, and closes.</summary>
    public async Task ExpectEndAsync(ProtocolError error)
    {
        await ExpectAsync(new ErrorReply(error, 0), requestId: 0);
        Assert.Null(await ReadAsync());
    }

    /// <summary>The server says why, and closes.</summary>
    public async Task ExpectEndAsync(NoticeKind kind, uint retryAfter = 0)
    {
        await ExpectAsync(new Notice(kind, retryAfter), requestId: 0);
        Assert.Null(await ReadAsync());
    }

    /// <summary>The server says that it stops, and when to come back, and closes.</summary>
    public async Task ExpectShutdownAsync(uint retryAfterSeconds)
    {
        var frame = await ReadAsync();
        Assert.Equal((MessageCode.Notice, 0u), (frame?.Code, frame?.RequestId));
        var notice = WireReader.ReadWhole<Notice>(frame!.Value.Payload);
        Assert.Equal(NoticeKind.ShuttingDown, notice.Kind);
        Assert.InRange(notice.RetryAfterMilliseconds, retryAfterSeconds * 1000, retryAfterSeconds * 2000);
        Assert.Null(await ReadAsync());
    }

    /// <summary>The bytes that come before the server closes, however it does.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        using var bytes = new MemoryStream();
        try
        {
            await Wait.ForAsync(Input.CopyToAsync(bytes, Cancel));
        }
        catch (IOException)
        {
            // Closed while bytes of ours were on their way.
        }

        return bytes.ToArray();
    }

    public async Task EchoAsync()
    {
        await SendAsync(new EchoRequest("ping"u8.ToArray()), 1);
        Assert.Equal("ping"u8.ToArray(), await ExpectReplyAsync(1));
    }

    public async Task SignInAsync(uint seconds = 3600, ClientId? client = null)
    {
        await SendAsync(new SignInRequest(seconds, client ?? ClientId.New()), 2);
        await ExpectAsync(new Done(), 2);
    }

    public async Task SignInServerAsync(ServerId server)
    {
        await SendAsync(new ServerSignInRequest(server), 3);
        await ExpectAsync(new Done(), 3);
    }

    /// <summary>Ends the connection as a peer does whose machine went down: with a reset, not an end of stream.</summary>
    public void CutOff()
    {
        _tcp.LingerState = new LingerOption(true, 0);
        _tcp.Client.Close();
    }

    public void Dispose()
    {
        _channel?.Dispose();
        _tcp.Dispose();
    }
}
