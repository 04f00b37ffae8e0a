using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Wire.Limits;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>Reads the requests of a connection and answers them. One object for all connections.</summary>
internal sealed class RequestLoop(
    RequestDispatcher dispatcher,
    RequestLimits limits,
    IServiceProvider services,
    ServerMetrics metrics,
    TimeProvider time,
    ILogger<RequestLoop> logger)
{
    /// <summary>Runs until the peer ends the stream or no further request is to be taken.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="wire">The connection.</param>
    /// <exception cref="ProtocolException">The peer broke the protocol.</exception>
    /// <exception cref="OperationCanceledException">The connection is to end, or drains.</exception>
    public async Task RunAsync(SecureChannel channel, WireConnection wire)
    {
        while (await channel.ReadAsync(wire.Reading) is { } frame)
        {
            wire.Heard();

            // A peer that asks and does not read the answers is not asked for more.
            if (!wire.Outgoing.HasRoom)
            {
                await wire.Outgoing.WaitForRoomAsync(wire.Reading);
            }

            var route = Find(frame);
            if (!limits.TryAdmit(wire, route.Cost, out var refusal))
            {
                metrics.FrameTurnedAway(route.Name, FrameOutcome.Limited);
                await RefuseAsync(ProtocolError.TooManyRequests, refusal.RetryAfter, frame.RequestId, wire);
            }
            else if (!wire.Admits(route.Access))
            {
                metrics.FrameTurnedAway(route.Name, FrameOutcome.Refused);
                await RefuseAsync(ProtocolError.NotSignedIn, TimeSpan.Zero, frame.RequestId, wire);
            }
            else if (route is PipelinedRoute pipelined)
            {
                await wire.PipelinedSlots.WaitAsync(wire.Reading);
                await StartAsync(pipelined, frame, wire);
            }
            else
            {
                await AnswerAsync(await InvokeAsync((ScopedRoute)route, frame.Payload, wire), frame.RequestId, channel, wire);
            }
        }
    }

    /// <summary>What a handler or a full queue throws because the connection ends.</summary>
    private static bool IsEnding(Exception e, WireConnection wire) =>
        (e is OperationCanceledException && wire.Closing.IsCancellationRequested)
        || e is ChannelException { Failure: ChannelFailure.ConnectionLost };

    private RequestRoute Find(ReceivedFrame frame)
    {
        if (dispatcher.Find(frame.Code) is not { } route)
        {
            // One name for all of them: a peer must not choose the values of a tag.
            metrics.FrameTurnedAway("Unknown", FrameOutcome.Malformed);
            throw new ProtocolException(ProtocolError.UnknownCode, "No request has this code.");
        }

        if (frame.RequestId == 0)
        {
            metrics.FrameTurnedAway(route.Name, FrameOutcome.Malformed);
            throw new ProtocolException(ProtocolError.Malformed, "A request has no number.");
        }

        return route;
    }

    private ValueTask RefuseAsync(ProtocolError error, TimeSpan retryAfter, uint requestId, WireConnection wire)
    {
        metrics.ErrorSent(error);
        return wire.Outgoing.EnqueueAsync(new ErrorReply(error, (uint)retryAfter.TotalMilliseconds), requestId, wire.Closing);
    }

    private async ValueTask<HandlerReply> InvokeAsync(ScopedRoute route, ReadOnlyMemory<byte> payload, WireConnection wire)
    {
        var started = time.GetTimestamp();
        var activity = metrics.StartRequest(route.Name, wire);
        var outcome = FrameOutcome.Abandoned;
        try
        {
            var reply = await route.InvokeAsync(services, payload, wire, wire.Closing);
            outcome = FrameOutcome.Answered;
            if (reply.Message is ErrorReply { Error: var error })
            {
                outcome = FrameOutcome.Refused;
                metrics.ErrorSent(error);
            }

            return reply;
        }
        catch (ProtocolException)
        {
            outcome = FrameOutcome.Malformed;
            throw;
        }
        catch (Exception e) when (!IsEnding(e, wire))
        {
            outcome = FrameOutcome.Failed;
            throw Fail(e, wire);
        }
        finally
        {
            metrics.FrameHandled(route.Name, outcome, time.GetElapsedTime(started));
            ServerMetrics.EndRequest(activity, outcome);
        }
    }

    // Counted when it is answered, or here when it never will be.
    private async ValueTask StartAsync(PipelinedRoute route, ReceivedFrame frame, WireConnection wire)
    {
        var started = time.GetTimestamp();
        var activity = metrics.StartRequest(route.Name, wire);
        try
        {
            await route.StartAsync(services, frame.Payload, new PipelinedCall(wire, route, frame.RequestId, started, activity), wire.Closing);
        }
        catch (ProtocolException)
        {
            metrics.FrameHandled(route.Name, FrameOutcome.Malformed, time.GetElapsedTime(started));
            ServerMetrics.EndRequest(activity, FrameOutcome.Malformed);
            throw;
        }
        catch (Exception e) when (!IsEnding(e, wire))
        {
            metrics.FrameHandled(route.Name, FrameOutcome.Failed, time.GetElapsedTime(started));
            ServerMetrics.EndRequest(activity, FrameOutcome.Failed);
            throw Fail(e, wire);
        }
        catch (Exception)
        {
            metrics.FrameHandled(route.Name, FrameOutcome.Abandoned, time.GetElapsedTime(started));
            ServerMetrics.EndRequest(activity, FrameOutcome.Abandoned);
            throw;
        }
    }

    // Told apart here: further out, a disk that fails or a handler's own time limit looks like a peer that is gone.
    private OperationCanceledException Fail(Exception e, WireConnection wire)
    {
        WireLog.HandlerFailed(logger, e, wire.ConnectionId);
        wire.Fail(ProtocolError.Internal);
        metrics.ErrorSent(ProtocolError.Internal);
        return new OperationCanceledException(wire.Closing);
    }

    private static async Task AnswerAsync(HandlerReply reply, uint requestId, SecureChannel channel, WireConnection wire)
    {
        if (reply.MixKey is not { } key)
        {
            await wire.Outgoing.EnqueueAsync(reply.Message, requestId, wire.Closing);
            reply.Afterwards?.Invoke();
            return;
        }

        using (key)
        {
            channel.MixReceive(key.Span);
            await wire.Outgoing.EnqueueBarrierAsync(
                reply.Message, requestId, Task.FromResult<SecretBytes?>(key.Clone()), wire.Closing);
        }
    }
}
