using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net.Sockets;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport;

/// <summary>
/// The requesting end of a connection: requests are pipelined and matched with their replies by number; pushes go to a
/// handler. One read loop, one writer loop.
/// </summary>
public sealed class RequestConnection : IAsyncDisposable
{
    private readonly SecureChannel _channel;
    private readonly OutgoingQueue _outgoing;
    private readonly IAsyncDisposable _transport;
    private readonly Func<MessageCode, ReadOnlyMemory<byte>, ValueTask>? _onPush;
    private readonly ConcurrentDictionary<uint, IPendingReply> _pending = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource<ChannelException> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _loops;
    private int _lastRequestId;
    private int _disposed;

    /// <summary>Starts the loops on an open channel.</summary>
    /// <param name="channel">The channel, owned from now on.</param>
    /// <param name="transport">What carries the channel, disposed of at the end.</param>
    /// <param name="onPush">Called in order for each push with its plaintext payload, which is valid only during the call; the next frame waits for it.</param>
    public RequestConnection(
        SecureChannel channel,
        IAsyncDisposable transport,
        Func<MessageCode, ReadOnlyMemory<byte>, ValueTask>? onPush = null)
    {
        _channel = channel;
        _transport = transport;
        _onPush = onPush;
        _outgoing = new OutgoingQueue(channel);
        _loops = Task.Run(RunAsync);
    }

    /// <summary>The channel: its binding, the server's id, time and key.</summary>
    public SecureChannel Channel => _channel;

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
            var pipe = new StreamPipe(client);
            return new RequestConnection(
                await SecureChannel.ConnectAsync(pipe, isExpectedKey, options, cancellationToken).ConfigureAwait(false), pipe, onPush);
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
            _pending.TryRemove(requestId, out _);
        }
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
                _pending.TryRemove(requestId, out _);
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

    private uint Register(IPendingReply pending)
    {
        uint requestId;
        do
        {
            requestId = (uint)Interlocked.Increment(ref _lastRequestId);
        }
        while (requestId == 0 || !_pending.TryAdd(requestId, pending));

        // The loops may have ended between the caller's check and here; they fail only what was registered by then.
        if (_ended.Task.IsCompleted)
        {
            _pending.TryRemove(requestId, out _);
            throw _ended.Task.Result;
        }

        return requestId;
    }

    private async Task RunAsync()
    {
        var writing = _outgoing.RunAsync(_closing.Token);
        var reason = await ReadUntilEndAsync(writing).ConfigureAwait(false);
        _outgoing.Complete();
        await _closing.CancelAsync().ConfigureAwait(false);
        await ((Task)writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.TrySetResult(reason);
        foreach (var (requestId, pending) in _pending)
        {
            if (_pending.TryRemove(requestId, out _))
            {
                pending.Fail(reason);
            }
        }

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
                if (frame.RequestId != 0)
                {
                    // Removed only when answered: a reply that cannot be read must still fail its request.
                    if (_pending.TryGetValue(frame.RequestId, out var pending))
                    {
                        pending.Answer(frame.Code, frame.Payload);
                        _pending.TryRemove(frame.RequestId, out _);
                    }
                }
                else if (frame.Code == MessageCode.Error)
                {
                    return ChannelException.Of(WireReader.ReadWhole<ErrorReply>(frame.Payload.Span));
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

    private interface IPendingReply
    {
        void Answer(MessageCode code, ReadOnlyMemory<byte> payload);

        void Fail(ChannelException reason);
    }

    private sealed class PendingReply : TaskCompletionSource<WireReply>, IPendingReply
    {
        public PendingReply()
            : base(TaskCreationOptions.RunContinuationsAsynchronously)
        {
        }

        public void Answer(MessageCode code, ReadOnlyMemory<byte> payload)
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

        public void Fail(ChannelException reason) => TrySetException(reason);
    }

    private sealed class PendingTicket(SecureChannel channel, Func<TicketAccepted, SecretBytes?> openProof)
        : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), IPendingReply
    {
        private readonly TaskCompletionSource<SecretBytes?> _sendKey = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<SecretBytes?> SendKey => _sendKey.Task;

        // Runs in the read loop, so that the very next frame is opened with the new key.
        public void Answer(MessageCode code, ReadOnlyMemory<byte> payload)
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
                Fail(reason);
                throw reason;
            }

            channel.MixReceive(key.Span);
            _sendKey.TrySetResult(key);
            TrySetResult();
        }

        public void Fail(ChannelException reason)
        {
            _sendKey.TrySetCanceled();
            TrySetException(reason);
        }
    }

    private sealed class StreamPipe(TcpClient client) : IDuplexPipe, IAsyncDisposable
    {
        public PipeReader Input { get; } = PipeReader.Create(client.GetStream(), new StreamPipeReaderOptions(bufferSize: 16 * 1024));

        public PipeWriter Output { get; } = PipeWriter.Create(client.GetStream());

        public ValueTask DisposeAsync()
        {
            client.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
