using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport;

/// <summary>
/// The requesting end of a connection: requests are pipelined and matched with their replies by number; pushes go to a
/// handler. One read loop, one writer loop.
/// </summary>
public sealed partial class RequestConnection : IAsyncDisposable
{
    private readonly SecureChannel _channel;
    private readonly OutgoingQueue _outgoing;
    private readonly IAsyncDisposable _transport;
    private readonly Func<MessageCode, ReadOnlyMemory<byte>, ValueTask>? _onPush;
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, IReplyHandler> _pending = [];
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource<ChannelException> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _loops;
    private readonly Task _watching;
    private uint _lastRequestId;
    private ChannelException? _reason;
    private int _disposed;

    /// <summary>Starts the loops on an open channel.</summary>
    /// <param name="channel">The channel, owned from now on.</param>
    /// <param name="transport">What carries the channel, disposed of at the end.</param>
    /// <param name="onPush">Called in order for each push with its plaintext payload, which is valid only during the call; the next frame waits for it.</param>
    /// <param name="options">How long the peer may be silent.</param>
    public RequestConnection(
        SecureChannel channel,
        IAsyncDisposable transport,
        Func<MessageCode, ReadOnlyMemory<byte>, ValueTask>? onPush = null,
        ChannelOptions? options = null)
    {
        _channel = channel;
        _transport = transport;
        _onPush = onPush;
        _outgoing = new OutgoingQueue(channel);
        _watching = WatchAsync(options ?? new ChannelOptions());
        _loops = Task.Run(RunAsync);
    }

    /// <summary>The channel: its binding, the server's id, time and key.</summary>
    public SecureChannel Channel => _channel;

    /// <summary>
    /// Whether the frame after the one that is being handled is already here. For handlers of pushes and replies, which can
    /// so put together what they do for many frames, such as acknowledging. Means nothing outside them.
    /// </summary>
    public bool HasBufferedFrame => _channel.HasBufferedFrame;

    /// <summary>Completes with the reason when the connection has ended. It never faults.</summary>
    public Task<ChannelException> Ended => _ended.Task;

    /// <summary>Connects over TCP and does the handshake.</summary>
    /// <param name="host">Host name or address.</param>
    /// <param name="port">TCP port.</param>
    /// <param name="isExpectedKey">Whether the server's key is the pinned or listed one.</param>
    /// <param name="options">Limits and deadlines.</param>
    /// <param name="onPush">See the constructor.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ChannelException">No connection, no valid handshake, or not the expected server.</exception>
    public static async Task<RequestConnection> ConnectAsync(
        string host,
        int port,
        SigningKeyCheck isExpectedKey,
        ChannelOptions options,
        Func<MessageCode, ReadOnlyMemory<byte>, ValueTask>? onPush,
        CancellationToken cancellationToken)
    {
        var client = new TcpClient { NoDelay = true };
        try
        {
            using var deadline = new CancellationTokenSource(options.HandshakeDeadline, options.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
            await client.ConnectAsync(host, port, either.Token).ConfigureAwait(false);
            var pipe = new SocketPipe(client);
            return new RequestConnection(
                await SecureChannel.ConnectAsync(pipe, isExpectedKey, options, cancellationToken).ConfigureAwait(false), pipe, onPush, options);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            client.Dispose();
            throw new ChannelException(ChannelFailure.ConnectionLost, "The server could not be reached.", e);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Sends a request whose reply can be only of one kind.</summary>
    /// <typeparam name="TReply">The reply.</typeparam>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Ends the wait; the request may still have been carried out.</param>
    /// <exception cref="RequestRefusedException">The peer answered with an error frame.</exception>
    /// <exception cref="ChannelException">The connection ended, or the reply was of another kind or not well-formed.</exception>
    public async Task<TReply> RequestAsync<TReply>(IWireMessage request, CancellationToken cancellationToken)
        where TReply : IWireMessage<TReply>
    {
        var reply = await RequestAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            return reply.As<TReply>() ?? throw UnexpectedReply();
        }
        catch (ProtocolException e)
        {
            throw BrokenProtocol(e);
        }
    }

    /// <summary>Sends a request whose reply can be of several kinds.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Ends the wait; the request may still have been carried out.</param>
    /// <exception cref="RequestRefusedException">The peer answered with an error frame.</exception>
    /// <exception cref="ChannelException">The connection ended.</exception>
    public async Task<WireReply> RequestAsync(IWireMessage request, CancellationToken cancellationToken)
    {
        var pending = new PendingReply();
        var requestId = Register(pending);
        try
        {
            await _outgoing.EnqueueAsync(request, requestId, cancellationToken).ConfigureAwait(false);
            return await pending.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            TryUnregister(requestId);
        }
    }

    /// <summary>
    /// Sends a request without a task of its own, for callers that send many. Does not wait unless too many wait to be sent.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="handler">Told the reply, on the read loop; may be the same object for many requests.</param>
    /// <param name="cancellationToken">Ends the wait for room, not the request once it is queued.</param>
    /// <exception cref="ChannelException">The connection has ended; the handler is told nothing.</exception>
    /// <exception cref="OperationCanceledException">The request was not sent; the handler is told nothing.</exception>
    public ValueTask SendAsync(IWireMessage request, IReplyHandler handler, CancellationToken cancellationToken)
    {
        var requestId = Register(handler);
        return _outgoing.TryEnqueue(request, requestId)
            ? ValueTask.CompletedTask
            : SendLaterAsync(request, requestId, cancellationToken);
    }

    /// <summary>AP exchange: presents a ticket, verifies the server's proof and mixes the session key into the channel.</summary>
    /// <param name="request">The ticket and authenticator.</param>
    /// <param name="openProof">
    /// Verifies the server's sealed part and returns the key to mix in, or null when the proof is wrong.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="RequestRefusedException">The peer refused the ticket; the keys are as before.</exception>
    /// <exception cref="ChannelException">The connection ended, or the proof is wrong.</exception>
    public async Task PresentTicketAsync(
        PresentTicketRequest request,
        Func<TicketAccepted, SecretBytes?> openProof,
        CancellationToken cancellationToken)
    {
        var pending = new PendingTicket(_channel, openProof);
        var requestId = Register(pending);
        try
        {
            await _outgoing.EnqueueBarrierAsync(request, requestId, pending.SendKey, cancellationToken).ConfigureAwait(false);
            await pending.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Kept registered until answered: the reply must change the keys even if nobody waits any more.
            if (pending.Task.IsCompleted)
            {
                TryUnregister(requestId);
            }
        }
    }

    /// <summary>Closes the connection and waits for the loops to end.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await _closing.CancelAsync().ConfigureAwait(false);
        }

        await _loops.ConfigureAwait(false);
    }

    private async ValueTask SendLaterAsync(IWireMessage request, uint requestId, CancellationToken cancellationToken)
    {
        try
        {
            await _outgoing.EnqueueAsync(request, requestId, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // Otherwise the connection has ended meanwhile, and the handler was told so.
            if (TryUnregister(requestId))
            {
                throw;
            }
        }
    }

    private uint Register(IReplyHandler handler) => TryRegister(handler, out var requestId) ? requestId : throw _reason!;

    // False once the connection has ended.
    private bool TryRegister(IReplyHandler handler, out uint requestId)
    {
        lock (_lock)
        {
            if (_reason is not null)
            {
                requestId = 0;
                return false;
            }

            do
            {
                _lastRequestId++;
            }
            while (_lastRequestId == 0 || !_pending.TryAdd(_lastRequestId, handler));

            requestId = _lastRequestId;
            return true;
        }
    }

    private bool TryUnregister(uint requestId)
    {
        lock (_lock)
        {
            return _pending.Remove(requestId);
        }
    }

    private bool TryFind(uint requestId, [NotNullWhen(true)] out IReplyHandler? handler)
    {
        lock (_lock)
        {
            return _pending.TryGetValue(requestId, out handler);
        }
    }

    private async Task RunAsync()
    {
        var writing = _outgoing.RunAsync(_closing.Token);
        var reason = await ReadUntilEndAsync(writing).ConfigureAwait(false);
        _outgoing.Complete();
        await _closing.CancelAsync().ConfigureAwait(false);
        await ((Task)writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        KeyValuePair<uint, IReplyHandler>[] unanswered;
        lock (_lock)
        {
            // None is added from here on.
            _reason = reason;
            unanswered = [.. _pending];
        }

        _ended.TrySetResult(reason);
        foreach (var (requestId, handler) in unanswered)
        {
            if (TryUnregister(requestId))
            {
                handler.OnFailed(reason);
            }
        }

        await _watching.ConfigureAwait(false);
        _channel.Dispose();
        await _transport.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<ChannelException> ReadUntilEndAsync(Task writing)
    {
        // A writer that fails (the peer is gone) must end a read that would wait for ever.
        _ = writing.ContinueWith(
            static (_, state) => ((CancellationTokenSource)state!).Cancel(),
            _closing,
            CancellationToken.None,
            TaskContinuationOptions.NotOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        try
        {
            while (await _channel.ReadAsync(_closing.Token).ConfigureAwait(false) is { } frame)
            {
                Volatile.Write(ref _silentIntervals, 0);
                if (frame.RequestId != 0)
                {
                    // Removed only when answered: a reply that cannot be read must still fail its request.
                    if (TryFind(frame.RequestId, out var handler))
                    {
                        handler.OnReply(frame.Code, frame.Payload);
                        TryUnregister(frame.RequestId);
                    }
                }
                else if (frame.Code == MessageCode.Error)
                {
                    return ChannelException.Of(WireReader.ReadWhole<ErrorReply>(frame.Payload.Span));
                }
                else if (frame.Code == MessageCode.AreYouThere)
                {
                    Ping();
                }
                else if (_onPush is not null)
                {
                    await _onPush(frame.Code, frame.Payload).ConfigureAwait(false);
                }
            }

            return new ChannelException(ChannelFailure.ConnectionLost, "The server closed the connection.");
        }
        catch (ProtocolException e)
        {
            return BrokenProtocol(e);
        }
        catch (ChannelException e)
        {
            return e;
        }
        catch (OperationCanceledException e) when (_isSilent)
        {
            return new ChannelException(ChannelFailure.ConnectionLost, "The server was silent for too long.", e);
        }
        catch (Exception e)
        {
            // Whatever ended the loop, a failing push handler included, reaches every waiting request as the inner exception.
            return new ChannelException(ChannelFailure.ConnectionLost, "The connection was lost.", e);
        }
    }

    private static ChannelException UnexpectedReply() =>
        new(ChannelFailure.ConnectionLost, "The server answered with an unexpected kind of reply.");

    private static ChannelException BrokenProtocol(ProtocolException e) =>
        new(ChannelFailure.ConnectionLost, "The server broke the protocol.", e);

    private sealed class PendingReply : TaskCompletionSource<WireReply>, IReplyHandler
    {
        public PendingReply()
            : base(TaskCreationOptions.RunContinuationsAsynchronously)
        {
        }

        public void OnReply(MessageCode code, ReadOnlyMemory<byte> payload)
        {
            if (code == MessageCode.Error)
            {
                TrySetException(WireReply.Refusal(payload));
            }
            else
            {
                TrySetResult(new WireReply(code, payload.ToArray()));
            }
        }

        public void OnFailed(ChannelException reason) => TrySetException(reason);
    }

    private sealed class PendingTicket(SecureChannel channel, Func<TicketAccepted, SecretBytes?> openProof)
        : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), IReplyHandler
    {
        private readonly TaskCompletionSource<SecretBytes?> _sendKey = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<SecretBytes?> SendKey => _sendKey.Task;

        // Runs in the read loop, so that the very next frame is opened with the new key.
        public void OnReply(MessageCode code, ReadOnlyMemory<byte> payload)
        {
            if (code == MessageCode.Error)
            {
                var refusal = WireReply.Refusal(payload);
                _sendKey.TrySetResult(null);
                TrySetException(refusal);
                return;
            }

            if (code != MessageCode.TicketAccepted
                || openProof(WireReader.ReadWhole<TicketAccepted>(payload.Span)) is not { } key)
            {
                var reason = new ChannelException(ChannelFailure.HandshakeFailed, "The server did not prove the ticket's session key.");
                OnFailed(reason);
                throw reason;
            }

            channel.MixReceive(key.Span);
            _sendKey.TrySetResult(key);
            TrySetResult();
        }

        public void OnFailed(ChannelException reason)
        {
            _sendKey.TrySetCanceled();
            TrySetException(reason);
        }
    }
}
