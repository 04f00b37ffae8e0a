using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Tests.Wire;

public sealed class ConnectionTests : IAsyncLifetime
{
    private const int Before = 4096;
    private const int After = 16384;

    private WireServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await WireServer.StartAsync(
        ("Wire:PayloadBeforeAuthentication", $"{Before}"), ("Wire:PayloadAfterAuthentication", $"{After}"));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_frame_of_version_24_is_told_that_its_version_is_not_supported()
    {
        // What the older family sends: 23 bytes, the version where ours has it too, and a payload size of nothing.
        var frame = new byte[23];
        RandomNumberGenerator.Fill(frame.AsSpan(0, 16));
        frame[16] = 24;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(17), 1024);
        using var client = await WireClient.OpenAsync(_server.Port);
        await client.SendBytesAsync(frame);

        AssertClearError(ProtocolError.UnsupportedVersion, await client.ReadToEndAsync());
    }

    [Fact]
    public async Task Seventeen_bytes_tell_the_version()
    {
        using var client = await WireClient.OpenAsync(_server.Port);
        await client.SendBytesAsync((byte[])[.. new byte[16], 24]);

        AssertClearError(ProtocolError.UnsupportedVersion, await client.ReadToEndAsync());
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: realm\r\n\r\n", ProtocolError.UnsupportedVersion)]
    [InlineData("SSH-2.0-OpenSSH_9.2p1 Debian\r\n", ProtocolError.UnsupportedVersion)]
    public async Task Other_protocols_are_refused(string bytes, ProtocolError error)
    {
        using var client = await WireClient.OpenAsync(_server.Port);
        await client.SendBytesAsync(System.Text.Encoding.ASCII.GetBytes(bytes));

        AssertClearError(error, await client.ReadToEndAsync());
    }

    [Theory]
    [InlineData(MessageCode.PresentTicket, 0, 10, ProtocolError.ChannelFailed)]
    [InlineData(MessageCode.ServerHello, 0, 10, ProtocolError.ChannelFailed)]
    [InlineData(MessageCode.ClientHello, 1, 1248, ProtocolError.ChannelFailed)]
    [InlineData(MessageCode.ClientHello, 0, 1248, ProtocolError.ChannelFailed)]
    [InlineData(MessageCode.ClientHello, 0, 1247, ProtocolError.Malformed)]
    [InlineData(MessageCode.ClientHello, 0, 1249, ProtocolError.Malformed)]
    [InlineData(MessageCode.ClientHello, 0, 0, ProtocolError.Malformed)]
    public async Task A_first_frame_that_is_no_hello_is_refused(MessageCode code, int session, int length, ProtocolError error)
    {
        // Bytes that are no X-Wing key: every coefficient of its ML-KEM part is over the modulus.
        var frame = new byte[FrameHeader.Size + length];
        frame.AsSpan().Fill(0xFF);
        var id = session == 0 ? default : SessionId.New();
        new FrameHeader(id, code, 7, length).Write(frame);
        using var client = await WireClient.OpenAsync(_server.Port);
        await client.SendBytesAsync(frame);

        AssertClearError(error, await client.ReadToEndAsync(), requestId: 7);
    }

    [Fact]
    public async Task A_first_frame_that_announces_too_much_is_refused_on_its_header()
    {
        var frame = new byte[FrameHeader.Size];
        new FrameHeader(default, MessageCode.ClientHello, 0, Before + 1).Write(frame);
        using var client = await WireClient.OpenAsync(_server.Port);
        await client.SendBytesAsync(frame);

        AssertClearError(ProtocolError.TooLarge, await client.ReadToEndAsync());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(100)]
    [InlineData(2000)]
    [InlineData(60_000)]
    public async Task Garbage_is_closed_upon(int length)
    {
        using var client = await WireClient.OpenAsync(_server.Port);
        var garbage = RandomNumberGenerator.GetBytes(length);
        garbage[Math.Min(16, length - 1)] = 0x7F;
        await client.SendBytesAsync(garbage);
        if (length < 17)
        {
            // So little may yet become a frame, but not if nothing follows.
            await client.Output.CompleteAsync();
            client.Dispose();
        }
        else
        {
            await client.ReadToEndAsync();
        }

        await AssertServesAsync();
    }

    [Fact]
    public async Task Garbage_after_the_handshake_ends_the_connection()
    {
        foreach (var length in new[] { 27, 60, 91, 500 })
        {
            using var client = await _server.ConnectAsync();
            var frame = new byte[length];
            RandomNumberGenerator.Fill(frame);
            new FrameHeader(client.Session, EchoRequest.Code, 1, length - FrameHeader.Size).Write(frame);
            await client.SendBytesAsync(frame);

            await client.ExpectEndAsync(ProtocolError.ChannelFailed);
        }

        await AssertServesAsync();
    }

    [Fact]
    public async Task A_frame_that_names_another_session_ends_the_connection()
    {
        using var client = await _server.ConnectAsync();
        var frame = new byte[FrameHeader.Size + 64];
        new FrameHeader(SessionId.New(), EchoRequest.Code, 1, 64).Write(frame);
        await client.SendBytesAsync(frame);

        await client.ExpectEndAsync(ProtocolError.ChannelFailed);
    }

    [Fact]
    public async Task The_payload_limit_before_sign_in_is_exact()
    {
        using var client = await _server.ConnectAsync();
        await client.SendAsync(EchoThatSealsTo(Before), 1);
        await client.ExpectReplyAsync(1);

        await client.SendAsync(EchoThatSealsTo(Before + 16), 2);
        await client.ExpectEndAsync(ProtocolError.TooLarge);
    }

    [Fact]
    public async Task The_payload_limit_after_sign_in_is_exact_and_ends_with_it()
    {
        using var client = await _server.ConnectAsync();
        await client.SignInAsync();
        await client.SendAsync(EchoThatSealsTo(After), 1);
        await client.ExpectReplyAsync(1);
        await client.SignInAsync(seconds: 0);
        await client.SendAsync(EchoThatSealsTo(Before), 2);
        await client.ExpectReplyAsync(2);
        using (var other = await _server.ConnectAsync())
        {
            await other.SignInAsync();
            await other.SendAsync(EchoThatSealsTo(After + 16), 3);
            await other.ExpectEndAsync(ProtocolError.TooLarge);
        }

        await client.SendAsync(EchoThatSealsTo(Before + 16), 4);
        await client.ExpectEndAsync(ProtocolError.TooLarge);
    }

    [Fact]
    public async Task A_channel_without_a_sign_in_is_ended_at_the_deadline()
    {
        using var idle = await _server.ConnectAsync();
        await idle.EchoAsync();
        using var signedIn = await _server.ConnectAsync();
        await signedIn.SignInAsync();
        using var signedOut = await _server.ConnectAsync();
        await signedOut.SignInAsync();
        _server.Time.Advance(TimeSpan.FromSeconds(59));
        await signedOut.SignInAsync(seconds: 0);
        await idle.EchoAsync();

        _server.Time.Advance(TimeSpan.FromSeconds(1));

        await idle.ExpectEndAsync(NoticeKind.SessionEnded);
        await signedIn.EchoAsync();
        await signedOut.EchoAsync();
        _server.Time.Advance(TimeSpan.FromSeconds(59));
        await signedOut.ExpectEndAsync(NoticeKind.SessionEnded);
        await signedIn.EchoAsync();
    }

    [Fact]
    public async Task A_channel_ends_with_its_ticket_also_while_a_request_waits()
    {
        using var client = await _server.ConnectAsync();
        await client.SignInAsync(seconds: 90);
        await client.SendAsync(new SlowRequest("slow"), 5);
        await _server.State.StartedAsync("slow");

        _server.Time.Advance(TimeSpan.FromSeconds(90));

        await client.ExpectEndAsync(NoticeKind.SessionEnded);
    }

    [Fact]
    public async Task A_ticket_that_ended_already_ends_the_channel_at_once()
    {
        using var client = await _server.ConnectAsync();
        await client.SendAsync(new SignInRequest(1, ClientId.New()), 1);
        await client.ExpectAsync(new Done(), 1);
        _server.Time.Advance(TimeSpan.FromSeconds(1));

        await client.ExpectEndAsync(NoticeKind.SessionEnded);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(1000)]
    public async Task A_handshake_has_a_deadline(int bytesSent)
    {
        using var client = await WireClient.OpenAsync(_server.Port);
        var frame = new byte[FrameHeader.Size + 1248];
        new FrameHeader(default, MessageCode.ClientHello, 0, 1248).Write(frame);
        await client.SendBytesAsync(frame.AsMemory(0, bytesSent));

        // The server must have come to wait before its clock is turned.
        await AssertServesAsync();
        await TurnUntilEndedAsync(client, TimeSpan.FromSeconds(10), ProtocolError.TimedOut);
    }

    [Fact]
    public async Task A_frame_has_a_deadline_from_its_first_byte()
    {
        var (client, connection) = await _server.ConnectBothAsync();
        using (client)
        {
            await client.SignInAsync();
            var closing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = connection.Closing.Register(closing.SetResult);
            await client.SendBytesAsync(new byte[16]);

            // One turn of the clock may come before the server has read the bytes, but not all of them.
            for (var turns = 0; turns < 100 && !closing.Task.IsCompleted; turns++)
            {
                await AssertServesAsync();
                _server.Time.Advance(TimeSpan.FromSeconds(10));
            }

            await client.ExpectEndAsync(ProtocolError.TimedOut);
        }
    }

    [Fact]
    public async Task A_server_without_its_keys_closes_without_a_byte()
    {
        await using var server = WireServer.Build(static _ => { }, isReady: false);
        await server.App.StartAsync(Cancel);
        using (var early = await WireClient.OpenAsync(server.Port))
        {
            Assert.Empty(await early.ReadToEndAsync());
        }

        using var key = Ed25519PrivateKey.Generate();
        var publicKey = key.PublicKey;
        server.App.Services.GetRequiredService<ServerIdentity>().Set(WireServer.Id, key);
        using var client = await WireClient.ConnectAsync(server.Port, publicKey);
        await client.EchoAsync();
    }

    [Fact]
    public async Task The_registry_knows_the_open_connections_and_no_others()
    {
        Assert.Equal(0, _server.Connections.Count);
        var closed = new List<Task>();
        var clients = new List<WireClient>();
        for (var i = 0; i < 6; i++)
        {
            var (client, connection) = await _server.ConnectBothAsync();
            clients.Add(client);
            closed.Add(ClosedAsync(connection));
        }

        using var half = await WireClient.OpenAsync(_server.Port);
        await half.SendBytesAsync(new byte[16]);
        Assert.Equal(6, _server.Connections.Count);
        Assert.Equal(
            clients.Select(static client => client.Session.Value).Order(),
            _server.Connections.All.Select(static connection => connection.Session.Value).Order());

        // Each in its own way: left, cut off, broken, thrown out, failed, timed out.
        clients[0].Dispose();
        clients[1].CutOff();
        await clients[2].SendAsync(new RawMessage(default, []), 1);
        _server.Connections.All.Single(connection => connection.Session == clients[3].Session).Close(NoticeKind.TakenOver);
        await clients[4].SendAsync(new FailRequest("bug", ""), 1);
        _server.Time.Advance(TimeSpan.FromSeconds(60));

        await Wait.ForAsync(Task.WhenAll(closed));
        Assert.Equal(0, _server.Connections.Count);
        clients.ForEach(static client => client.Dispose());
    }

    [Fact]
    public async Task A_connection_that_is_closed_is_told_the_first_reason_given()
    {
        var (client, connection) = await _server.ConnectBothAsync();
        using (client)
        {
            connection.Close(NoticeKind.TakenOver, TimeSpan.FromSeconds(2.5));
            connection.Close(NoticeKind.SessionEnded);
            connection.Close(NoticeKind.ShuttingDown);

            await client.ExpectEndAsync(NoticeKind.TakenOver, retryAfter: 2500);
            connection.Close(NoticeKind.SessionEnded);
        }
    }

    [Fact]
    public async Task Pushes_arrive_in_order_and_before_the_farewell()
    {
        var (client, connection) = await _server.ConnectBothAsync();
        using (client)
        {
            for (uint i = 0; i < 200; i++)
            {
                await connection.PushAsync(new Notice(NoticeKind.TakenOver, i), Cancel);
            }

            connection.Close(NoticeKind.SessionEnded);

            for (uint i = 0; i < 200; i++)
            {
                await client.ExpectAsync(new Notice(NoticeKind.TakenOver, i), requestId: 0);
            }

            await client.ExpectEndAsync(NoticeKind.SessionEnded);
        }
    }

    [Fact]
    public async Task State_of_a_connection_goes_with_it()
    {
        var (client, connection) = await _server.ConnectBothAsync();
        var kept = new Disposable();
        var forgotten = new System.IO.MemoryStream();
        connection.SetState(kept);
        connection.SetState(forgotten);
        connection.SetState<System.IO.MemoryStream>(null);
        Assert.Same(kept, connection.GetState<Disposable>());
        Assert.Null(connection.GetState<System.IO.MemoryStream>());

        var closed = ClosedAsync(connection);
        client.Dispose();

        await Wait.ForAsync(closed);
        await Wait.ForAsync(kept.Disposed.Task);
        Assert.True(forgotten.CanRead);
    }

    [Fact]
    public async Task A_reply_that_cannot_be_written_ends_the_connection_and_is_an_error_in_the_log()
    {
        var (client, connection) = await _server.ConnectBothAsync();
        using (client)
        {
            var closed = ClosedAsync(connection);

            await connection.PushAsync(new UnwritableMessage(), Cancel);

            await client.ExpectEndAsync(ProtocolError.Internal);
            await Wait.ForAsync(closed);
            Assert.Contains(nameof(UnwritableMessage), Assert.Single(_server.Errors), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_peer_that_leaves_is_no_news()
    {
        var (client, connection) = await _server.ConnectBothAsync();
        var closed = ClosedAsync(connection);
        client.CutOff();
        await Wait.ForAsync(closed);

        Assert.DoesNotContain(_server.Log.Lines, static line =>
            line.Level > LogLevel.Debug && line.Text.Contains("Connection", StringComparison.Ordinal));
    }

    private static Task ClosedAsync(WireConnection connection)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.OnClosed(closed.SetResult);
        return closed.Task;
    }

    // 4 bytes of length in front of the bytes, at least one byte of padding, a vector and a tag.
    private static EchoRequest EchoThatSealsTo(int size)
    {
        var request = new EchoRequest(new byte[size - AuthenticatedCbc.IvSize - AuthenticatedCbc.TagSize - 5]);
        Assert.Equal(size, AuthenticatedCbc.SealedLength(request.Bytes.Length + 4));
        return request;
    }

    private static void AssertClearError(ProtocolError error, byte[] bytes, uint requestId = 0)
    {
        Assert.Equal(FrameHeader.Size + 6, bytes.Length);
        Assert.True(FrameHeader.TryRead(new ReadOnlySequence<byte>(bytes), Before, out var header));
        Assert.Equal(new FrameHeader(default, MessageCode.Error, requestId, 6), header);
        Assert.Equal(new ErrorReply(error, 0), WireReader.ReadWhole<ErrorReply>(bytes.AsSpan(FrameHeader.Size)));
    }

    private async Task AssertServesAsync()
    {
        using var client = await _server.ConnectAsync();
        await client.EchoAsync();
        Assert.Empty(_server.Errors);
    }

    private async Task TurnUntilEndedAsync(WireClient client, TimeSpan deadline, ProtocolError error)
    {
        var reading = client.ReadToEndAsync();
        for (var turns = 0; turns < 100 && !reading.IsCompleted; turns++)
        {
            _server.Time.Advance(deadline);
            await AssertServesAsync();
        }

        AssertClearError(error, await reading);
    }

    private sealed class Disposable : IDisposable
    {
        public TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose() => Disposed.SetResult();
    }

    private sealed record UnwritableMessage : IWireMessage
    {
        public MessageCode FrameCode => MessageCode.Notice;

        public void Write(WireWriter writer) => throw new ArgumentException(nameof(UnwritableMessage));
    }
}
