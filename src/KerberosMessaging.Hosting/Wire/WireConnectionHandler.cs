using System.Threading.Channels;
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
                using var wire = new WireConnection(channel, connection.RemoteEndPoint, options.Value, time, stopping.Token);
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
        using var writingEnds = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        var writing = wire.Outgoing.RunAsync(writingEnds.Token);
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

        await FinishAsync(wire, writing, writingEnds, slots);
    }

    private static async Task FinishAsync(
        WireConnection wire,
        Task writing,
        CancellationTokenSource writingEnds,
        SemaphoreSlim slots)
    {
        // Pipelined requests that still wait stop waiting; what they put into the shared order is done all the same.
        wire.Outgoing.Complete();
        wire.StopWaiting();
        writingEnds.CancelAfter(FarewellTime);
        await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        for (var i = 0; i < PipelinedRequests; i++)
        {
            await slots.WaitAsync();
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

            if (route.Access == RequestAccess.SignedIn && wire.Principal is null)
            {
                await wire.Outgoing.EnqueueAsync(new ErrorReply(ProtocolError.NotSignedIn, 0), frame.RequestId, wire.Closing);
            }
            else if (route.IsPipelined)
            {
                await slots.WaitAsync(wire.Closing);
                StartPipelined(route, frame, wire, slots);
            }
            else
            {
                var reply = await route.InvokeAsync(services, frame.Payload, wire, wire.Closing);
                await AnswerAsync(reply, frame.RequestId, channel, wire);
            }
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

    private void StartPipelined(RequestRoute route, ReceivedFrame frame, WireConnection wire, SemaphoreSlim slots)
    {
        try
        {
            // Runs up to its first await here, which is where it takes its place in the shared order.
            var handling = route.InvokeAsync(services, frame.Payload, wire, wire.Closing);
            _ = AnswerPipelinedAsync(handling, frame.RequestId, wire, slots);
        }
        catch (ProtocolException)
        {
            slots.Release();
            throw;
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
        catch (Exception e) when (IsPeerGone(e))
        {
            // The connection ended before the answer; the peer asks again with the same message id.
        }
        catch (Exception e)
        {
            Log.HandlerFailed(logger, e, wire.Session.ToString());
            wire.Fail();
        }
        finally
        {
            slots.Release();
        }
    }

    private static bool IsPeerGone(Exception e) =>
        e is ConnectionResetException or ConnectionAbortedException or IOException or OperationCanceledException
            or ChannelClosedException
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
