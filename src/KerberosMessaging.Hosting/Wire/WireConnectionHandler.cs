using KerberosMessaging.Hosting.Logs;
using KerberosMessaging.Hosting.Wire.Limits;
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
internal sealed class WireConnectionHandler(
    RequestLoop requests,
    ServerIdentity identity,
    ConnectionRegistry registry,
    ConnectionLimits limits,
    DrainService drain,
    IOptions<WireOptions> options,
    ServerMetrics metrics,
    TimeProvider time,
    ILogger<WireConnectionHandler> logger) : ConnectionHandler
{
    // A peer that does not read gets this long for its last frames: less than the 2 seconds that a stop may take.
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(1);

    /// <inheritdoc />
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        try
        {
            if (drain.IsDraining(out var comeBackAfter))
            {
                await TurnAwayAsync(connection, comeBackAfter, connection.ConnectionClosed);
                return;
            }

            using var slots = limits.TryAdmit(AddressBlock.Of(connection.RemoteEndPoint), out var refusal);
            if (slots is null)
            {
                await TurnAwayAsync(connection, refusal.RetryAfter, connection.ConnectionClosed);
            }
            else
            {
                await ServeAsync(connection, slots);
            }
        }
        catch (ProtocolException e)
        {
            BrokeProtocol(connection, e);
        }
        catch (Exception e) when (IsPeerGone(e))
        {
            WireLog.PeerGone(logger, connection.ConnectionId);
        }
    }

    // In clear and without waiting for the hello: a peer that is turned away must cost next to nothing.
    private async Task TurnAwayAsync(ConnectionContext connection, TimeSpan retryAfter, CancellationToken cancellationToken)
    {
        var payload = WireWriter.ToArray(new ErrorReply(ProtocolError.Overloaded, (uint)retryAfter.TotalMilliseconds));
        var frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(default, MessageCode.Error, 0, payload.Length).Write(frame);
        payload.CopyTo(frame, FrameHeader.Size);
        metrics.ErrorSent(ProtocolError.Overloaded);
        await connection.Transport.Output.WriteAsync(frame, cancellationToken);
    }

    private async Task ServeAsync(ConnectionContext connection, ConnectionSlots slots)
    {
        metrics.ConnectionOpened();
        try
        {
            using var channel = await AcceptAsync(connection);
            if (channel is not null)
            {
                slots.HandshakeDone();
                using var wire = new WireConnection(channel, connection, slots, options.Value, metrics, time);
                using var scope = logger.BeginScope(LogCorrelation.Of(channel.Session));
                await RunAsync(connection, channel, wire);
            }
        }
        finally
        {
            metrics.ConnectionClosed();
        }
    }

    private async Task<SecureChannel?> AcceptAsync(ConnectionContext connection)
    {
        if (!identity.TryGet(out var server, out var signingKey))
        {
            WireLog.NotReady(logger, connection.ConnectionId);
            return null;
        }

        // Without watching the request to close, one silent client would hold up a stop for as long as a handshake may take.
        var stopRequested = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed, stopRequested);
        metrics.HandshakeStarted();
        try
        {
            var channel = await SecureChannel.AcceptAsync(
                connection.Transport, server, signingKey, options.Value.ForChannel(time), stopping.Token);
            if (channel is not null)
            {
                await channel.FlushAsync(stopping.Token);
            }

            return channel;
        }
        catch
        {
            metrics.HandshakeFailed();
            throw;
        }
    }

    private async Task RunAsync(ConnectionContext connection, SecureChannel channel, WireConnection wire)
    {
        registry.Add(wire);
        try
        {
            // Whoever drains found it in the registry, or it is found out here.
            if (drain.IsDraining(out var comeBackAfter))
            {
                wire.Drain(comeBackAfter);
            }

            await ReadAndWriteAsync(connection, channel, wire);
        }
        finally
        {
            registry.Remove(wire);
        }
    }

    private async Task ReadAndWriteAsync(ConnectionContext connection, SecureChannel channel, WireConnection wire)
    {
        var writing = WriteAsync(channel, wire, connection.ConnectionClosed);
        try
        {
            await requests.RunAsync(channel, wire);
        }
        catch (ProtocolException e)
        {
            BrokeProtocol(connection, e);
            wire.Outgoing.Enqueue(new ErrorReply(e.Error, 0), 0);
        }
        catch (OperationCanceledException) when (wire.Closing.IsCancellationRequested)
        {
            Farewell(wire);
        }
        catch (OperationCanceledException) when (wire.Reading.IsCancellationRequested)
        {
            await SettleAsync(wire, writing);
        }
        catch (Exception e) when (IsPeerGone(e))
        {
            WireLog.PeerGone(logger, connection.ConnectionId);
        }
        catch (Exception e)
        {
            Failed(wire, e);
            wire.Outgoing.Enqueue(new ErrorReply(ProtocolError.Internal, 0), 0);
        }

        await FinishAsync(connection, wire, writing);
    }

    // What was taken is answered, what is answered leaves, and then the peer is told to come back later. Whoever drains ends
    // the wait when its grace is over.
    private static async Task SettleAsync(WireConnection wire, Task writing)
    {
        await wire.AnsweredAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Farewell(wire);
        wire.Outgoing.Complete();
        await writing.WaitAsync(wire.Closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static void Farewell(WireConnection wire)
    {
        if (wire.Farewell is { } farewell)
        {
            wire.Outgoing.Enqueue(farewell, 0);
        }
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
            Failed(wire, e);
            channel.Write(new ErrorReply(ProtocolError.Internal, 0), 0);
            await channel.FlushAsync(cancellationToken);
        }
        finally
        {
            // What is read from now on could not be answered.
            wire.StopWaiting();
        }
    }

    private static async Task FinishAsync(ConnectionContext connection, WireConnection wire, Task writing)
    {
        // What is answered from now on reaches nobody; what it put into a shared order is done all the same.
        wire.Outgoing.Complete();
        wire.StopWaiting();
        _ = AbortUnlessClosedAsync(connection);
        await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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

    private void BrokeProtocol(ConnectionContext connection, ProtocolException e)
    {
        WireLog.PeerBrokeProtocol(logger, connection.ConnectionId, e.Error, e.Message);
        metrics.ErrorSent(e.Error);
    }

    private void Failed(WireConnection wire, Exception e)
    {
        WireLog.HandlerFailed(logger, e, wire.ConnectionId);
        metrics.ErrorSent(ProtocolError.Internal);
    }

    private static bool IsPeerGone(Exception e) =>
        e is ConnectionResetException or ConnectionAbortedException or IOException or OperationCanceledException
        || e is ChannelException { Failure: ChannelFailure.ConnectionLost };
}
