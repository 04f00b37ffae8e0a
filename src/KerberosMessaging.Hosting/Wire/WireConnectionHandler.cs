using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>
/// Kestrel's handler for the raw TCP port: handshake, then one read loop and one writer loop a connection. It is one
/// object for all connections, so nothing of a single connection may live in its fields.
/// </summary>
public sealed partial class WireConnectionHandler(
    RequestDispatcher dispatcher,
    ServerIdentity identity,
    ConnectionRegistry registry,
    IServiceProvider services,
    IOptions<WireOptions> options,
    TimeProvider time,
    ILogger<WireConnectionHandler> logger) : ConnectionHandler
{
    // How many pipelined requests of one connection may wait for their answers; further ones wait in the socket.
    private const int PipelinedRequests = 128;

    // A peer that does not read gets this long for its last frames: less than the 2 seconds that a stop may take.
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(1);

    /// <inheritdoc />
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        // Without watching the request to close, one idle client would hold up a stop for half a minute.
        var stopRequested = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed, stopRequested);
        try
        {
            using var channel = await AcceptAsync(connection, stopping.Token);
            if (channel is not null)
            {
                using var wire = new WireConnection(channel, connection, options.Value, time, stopping.Token);
                registry.Add(wire);
                try
                {
                    await RunAsync(connection, channel, wire);
                }
                finally
                {
                    registry.Remove(wire);
                }
            }
        }
        catch (ProtocolException e)
        {
            Log.PeerBrokeProtocol(logger, connection.ConnectionId, e.Error, e.Message);
        }
        catch (Exception e) when (IsPeerGone(e))
        {
            Log.PeerGone(logger, connection.ConnectionId);
        }
    }

    private async Task<SecureChannel?> AcceptAsync(ConnectionContext connection, CancellationToken cancellationToken)
    {
        if (!identity.TryGet(out var server, out var signingKey))
        {
            Log.NotReady(logger, connection.ConnectionId);
            return null;
        }

        var channel = await SecureChannel.AcceptAsync(
            connection.Transport, server, signingKey, options.Value.ForChannel(time), cancellationToken);
        if (channel is not null)
        {
            await channel.FlushAsync(cancellationToken);
        }

        return channel;
    }

    private async Task RunAsync(ConnectionContext connection, SecureChannel channel, WireConnection wire)
    {
        var writing = WriteAsync(channel, wire, connection.ConnectionClosed);
        using var slots = new SemaphoreSlim(PipelinedRequests);
        try
        {
            await ReadAsync(channel, wire, slots);
        }
        catch (ProtocolException e)
        {
            Log.PeerBrokeProtocol(logger, connection.ConnectionId, e.Error, e.Message);
            wire.Outgoing.TryEnqueue(new ErrorReply(e.Error, 0), 0);
        }
        catch (OperationCanceledException) when (wire.Closing.IsCancellationRequested)
        {
            wire.Outgoing.TryEnqueue(wire.Farewell ?? new Notice(NoticeKind.ShuttingDown, 1000), 0);
        }
        catch (Exception e) when (IsPeerGone(e))
        {
            Log.PeerGone(logger, connection.ConnectionId);
        }
        catch (Exception e)
        {
            Log.HandlerFailed(logger, e, connection.ConnectionId);
            wire.Outgoing.TryEnqueue(new ErrorReply(ProtocolError.Internal, 0), 0);
        }

        await FinishAsync(connection, wire, writing, slots);
    }

    private async Task WriteAsync(SecureChannel channel, WireConnection wire, CancellationToken cancellationToken)
    {
        try
        {
            await wire.Outgoing.RunAsync(cancellationToken);
        }
        catch (Exception e) when (!IsPeerGone(e))
        {
            // A message of ours that cannot be written. Nothing of it has left, and nothing else writes any more.
            Log.HandlerFailed(logger, e, wire.ConnectionId);
            channel.Write(new ErrorReply(ProtocolError.Internal, 0), 0);
            await channel.FlushAsync(cancellationToken);
        }
        finally
        {
            // What is read from now on could not be answered.
            wire.StopWaiting();
        }
    }

    private static async Task FinishAsync(ConnectionContext connection, WireConnection wire, Task writing, SemaphoreSlim slots)
    {
        // Pipelined requests that still wait stop waiting; what they put into the shared order is done all the same.
        wire.Outgoing.Complete();
        wire.StopWaiting();
        _ = AbortUnlessClosedAsync(connection);
        await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        for (var i = 0; i < PipelinedRequests; i++)
        {
            await slots.WaitAsync();
        }
    }

    // Runs on when this handler has returned: Kestrel would wait without limit until what was written has been sent.
    private static async Task AbortUnlessClosedAsync(ConnectionContext connection)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (connection.ConnectionClosed.Register(closed.SetResult))
        {
            try
            {
                await closed.Task.WaitAsync(FarewellTime);
            }
            catch (TimeoutException)
            {
                connection.Abort();
            }
        }
    }

    private async Task ReadAsync(SecureChannel channel, WireConnection wire, SemaphoreSlim slots)
    {
        while (await channel.ReadAsync(wire.Closing) is { } frame)
        {
            var route = dispatcher.Find(frame.Code)
                ?? throw new ProtocolException(ProtocolError.UnknownCode, "No request has this code.");
            if (frame.RequestId == 0)
            {
                throw new ProtocolException(ProtocolError.Malformed, "A request has no number.");
            }

            if (!wire.Admits(route.Access))
            {
                await wire.Outgoing.EnqueueAsync(new ErrorReply(ProtocolError.NotSignedIn, 0), frame.RequestId, wire.Closing);
            }
            else if (route.IsPipelined)
            {
                await slots.WaitAsync(wire.Closing);

                // Runs up to the handler's first await here, which is where it takes its place in the shared order.
                _ = AnswerPipelinedAsync(InvokeAsync(route, frame.Payload, wire), frame.RequestId, wire, slots);
            }
            else
            {
                await AnswerAsync(await InvokeAsync(route, frame.Payload, wire), frame.RequestId, channel, wire);
            }
        }
    }

    private async ValueTask<HandlerReply> InvokeAsync(RequestRoute route, ReadOnlyMemory<byte> payload, WireConnection wire)
    {
        try
        {
            return await route.InvokeAsync(services, payload, wire, wire.Closing);
        }
        catch (Exception e) when (e is not ProtocolException && !IsEnding(e, wire))
        {
            // Told apart here: further out, a disk that fails or a handler's own time limit looks like a peer that is gone.
            Log.HandlerFailed(logger, e, wire.ConnectionId);
            wire.Fail(ProtocolError.Internal);
            throw new OperationCanceledException(wire.Closing);
        }
    }

    private static async Task AnswerAsync(HandlerReply reply, uint requestId, SecureChannel channel, WireConnection wire)
    {
        if (reply.MixKey is not { } key)
        {
            await wire.Outgoing.EnqueueAsync(reply.Message, requestId, wire.Closing);
            return;
        }

        using (key)
        {
            channel.MixReceive(key.Span);
            await wire.Outgoing.EnqueueBarrierAsync(
                reply.Message, requestId, Task.FromResult<SecretBytes?>(key.Clone()), wire.Closing);
        }
    }

    private async Task AnswerPipelinedAsync(
        ValueTask<HandlerReply> handling,
        uint requestId,
        WireConnection wire,
        SemaphoreSlim slots)
    {
        try
        {
            var reply = await handling;
            await wire.Outgoing.EnqueueAsync(reply.Message, requestId, wire.Closing);
        }
        catch (ProtocolException e)
        {
            Log.PeerBrokeProtocol(logger, wire.ConnectionId, e.Error, e.Message);
            wire.Fail(e.Error);
        }
        catch (Exception e) when (IsEnding(e, wire))
        {
            // The connection ended before the answer; the peer asks again with the same message id.
        }
        finally
        {
            slots.Release();
        }
    }

    // What a handler or a full queue throws because the connection ends.
    private static bool IsEnding(Exception e, WireConnection wire) =>
        (e is OperationCanceledException && wire.Closing.IsCancellationRequested)
        || e is ChannelException { Failure: ChannelFailure.ConnectionLost };

    private static bool IsPeerGone(Exception e) =>
        e is ConnectionResetException or ConnectionAbortedException or IOException or OperationCanceledException
        || e is ChannelException { Failure: ChannelFailure.ConnectionLost };

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Information, "Connection {ConnectionId} ended: {Error}. {Reason}")]
        public static partial void PeerBrokeProtocol(ILogger logger, string connectionId, ProtocolError error, string reason);

        [LoggerMessage(1002, LogLevel.Debug, "Connection {ConnectionId} ended by its peer.")]
        public static partial void PeerGone(ILogger logger, string connectionId);

        [LoggerMessage(1003, LogLevel.Error, "A request on connection {ConnectionId} failed.")]
        public static partial void HandlerFailed(ILogger logger, Exception exception, string connectionId);

        [LoggerMessage(1004, LogLevel.Information, "Connection {ConnectionId} was closed: this server is not ready yet.")]
        public static partial void NotReady(ILogger logger, string connectionId);
    }
}
