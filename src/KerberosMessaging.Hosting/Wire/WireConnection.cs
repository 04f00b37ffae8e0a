using System.Diagnostics;
using System.Net;
using KerberosMessaging.Hosting.Wire.Limits;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>One open channel with a client or a message server, as handlers see it.</summary>
public sealed class WireConnection : IDisposable
{
    /// <summary>How many pipelined requests of one connection may wait for their answers.</summary>
    internal const int PipelinedRequests = 128;

    private static readonly AreYouThere PingPush = new();

    private readonly SecureChannel _channel;
    private readonly ConnectionSlots _slots;
    private readonly WireOptions _options;
    private readonly ServerMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _closing;
    private readonly CancellationTokenSource _reading;
    private readonly FeatureCollection _state = new();
    private readonly ITimer _expiry;
    private readonly Lock _signIn = new();
    private readonly List<Action> _onClosed = [];

    // A WirePrincipal, a boxed ServerId or null: one field, so that nobody ever sees both.
    private volatile object? _peer;

    private int _silentIntervals;

    internal WireConnection(
        SecureChannel channel,
        ConnectionContext connection,
        ConnectionSlots slots,
        WireOptions options,
        ServerMetrics metrics,
        TimeProvider time)
    {
        _channel = channel;
        _slots = slots;
        _options = options;
        _metrics = metrics;
        _time = time;
        _closing = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        _reading = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
        Outgoing = new OutgoingQueue(channel);
        ConnectionId = connection.ConnectionId;
        RemoteAddress = (connection.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "unknown";
        ConnectedAt = time.GetUtcNow();
        _expiry = time.CreateTimer(
            static state => ((WireConnection)state!).Close(NoticeKind.SessionEnded),
            this,
            TimeSpan.FromSeconds(options.SignInDeadlineSeconds),
            Timeout.InfiniteTimeSpan);
    }

    /// <summary>The channel's session id.</summary>
    public SessionId Session => _channel.Session;

    /// <summary>32 bytes that only the two ends of this channel know.</summary>
    public ReadOnlyMemory<byte> ChannelBinding => _channel.ChannelBinding;

    /// <summary>The peer's IP address.</summary>
    public string RemoteAddress { get; }

    /// <summary>When the handshake was done.</summary>
    public DateTimeOffset ConnectedAt { get; }

    /// <summary>The client at the other end; null before a login or ticket, and on a server's channel.</summary>
    public WirePrincipal? Principal => _peer as WirePrincipal;

    /// <summary>The message server at the other end; null before it proved its enrolled key, and on a client's channel.</summary>
    public ServerId? Server => _peer as ServerId?;

    /// <summary>Cancelled when the connection is about to end.</summary>
    public CancellationToken Closing => _closing.Token;

    /// <summary>Whether the connection is about to end, or has ended.</summary>
    internal bool IsClosing => _closing.IsCancellationRequested;


    /// <summary>Cancelled when no further request is taken: before <see cref="Closing"/>, when the connection drains.</summary>
    internal CancellationToken Reading => _reading.Token;

    /// <summary>What the log calls the connection.</summary>
    internal string ConnectionId { get; }

    /// <summary>What limits take for the peer's address.</summary>
    internal AddressBlock Address => _slots.Address;

    internal OutgoingQueue Outgoing { get; }

    /// <summary>One for each pipelined request that may wait for its answer; further ones wait in the socket.</summary>
    internal SemaphoreSlim PipelinedSlots { get; } = new(PipelinedRequests);

    /// <summary>What the peer is told when <see cref="Close"/>, <see cref="Drain"/> or <see cref="Fail"/> ends the connection.</summary>
    internal IWireMessage? Farewell { get; private set; }

    /// <summary>State that a handler keeps between requests of this connection; null when there is none of that type.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    public T? GetState<T>()
        where T : class => _state.Get<T>();

    /// <summary>Keeps or, with null, forgets state of one type. Disposable state is disposed of with the connection.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="value">The state.</param>
    public void SetState<T>(T? value)
        where T : class => _state.Set(value);

    /// <summary>
    /// Says which client is at the other end. The connection ends with the ticket unless a fresh one follows. What was
    /// said before no longer counts.
    /// </summary>
    /// <param name="principal">From a login or a ticket.</param>
    public void SignIn(WirePrincipal principal)
    {
        lock (_signIn)
        {
            _peer = principal;
            _slots.SignedIn();
            _channel.PayloadLimit = _options.PayloadAfterAuthentication;
            var left = principal.EndsAt - _time.GetUtcNow();
            _expiry.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>
    /// Says which message server is at the other end. The connection does not end by time: it stays until one of the two
    /// ends it. What was said before no longer counts.
    /// </summary>
    /// <param name="server">A server that proved, on this channel, the key that it was enrolled with.</param>
    public void SignInServer(ServerId server)
    {
        lock (_signIn)
        {
            _peer = server;
            _slots.SignedIn();
            _channel.PayloadLimit = _options.PayloadAfterAuthentication;
            _expiry.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Forgets who is at the other end; the channel stays open for another login or ticket.</summary>
    public void SignOut()
    {
        lock (_signIn)
        {
            _peer = null;
            _slots.SignedOut();
            _channel.PayloadLimit = _options.PayloadBeforeAuthentication;
            _expiry.Change(TimeSpan.FromSeconds(_options.SignInDeadlineSeconds), Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Queues a push, waiting for room.</summary>
    /// <param name="message">The push.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ChannelException">The connection is ending.</exception>
    public ValueTask PushAsync(IWireMessage message, CancellationToken cancellationToken) =>
        Outgoing.EnqueueAsync(message, 0, cancellationToken);

    /// <summary>Queues a push if there is room now.</summary>
    /// <param name="message">The push.</param>
    /// <param name="size">About how many bytes it keeps in memory until it is sent.</param>
    /// <returns>False when too much waits to be sent already, or the connection is ending.</returns>
    public bool TryPush(IWireMessage message, int size) => Outgoing.TryEnqueue(message, 0, size);

    /// <summary>Waits until there is room for a push.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ChannelException">The connection is ending.</exception>
    public ValueTask WaitForRoomAsync(CancellationToken cancellationToken) => Outgoing.WaitForRoomAsync(cancellationToken);

    /// <summary>Ends the connection after telling the peer why. The first call decides what is told.</summary>
    /// <param name="kind">Why.</param>
    /// <param name="retryAfter">When to connect again; zero for no advice.</param>
    public void Close(NoticeKind kind, TimeSpan retryAfter = default) =>
        End(new Notice(kind, (uint)retryAfter.TotalMilliseconds));

    /// <summary>
    /// Ends the connection as a drain does: no further request is taken, what was taken is answered, and the peer is told to
    /// connect again later.
    /// </summary>
    /// <param name="retryAfter">When to connect again.</param>
    /// <param name="grace">How long it may finish what is in flight.</param>
    public void SendAway(TimeSpan retryAfter, TimeSpan grace)
    {
        Drain(retryAfter);
        _ = EndAfterAsync(grace);
    }

    /// <summary>Whether the peer, as known by now, may send requests of this access.</summary>
    /// <param name="access">The request's.</param>
    internal bool Admits(RequestAccess access) => access switch
    {
        RequestAccess.Anyone => true,
        RequestAccess.SignedIn => Principal is not null,
        RequestAccess.EnrolledServer => Server is not null,
        _ => false,
    };

    /// <summary>Queues the answer to a pipelined request. It always has room: so many requests may wait and no more.</summary>
    internal void Answer(IWireMessage message, uint requestId, RequestRoute route, long started, Activity? activity)
    {
        var outcome = FrameOutcome.Answered;
        if (message is ErrorReply { Error: var error })
        {
            outcome = FrameOutcome.Refused;
            _metrics.ErrorSent(error);
        }

        _metrics.FrameHandled(route.Name, outcome, _time.GetElapsedTime(started));
        ServerMetrics.EndRequest(activity, outcome);
        Outgoing.Enqueue(message, requestId);
        PipelinedSlots.Release();
    }

    /// <summary>Counts a pipelined request that is not answered.</summary>
    internal void GiveUp(RequestRoute route, long started, Activity? activity, FrameOutcome outcome)
    {
        _metrics.FrameHandled(route.Name, outcome, _time.GetElapsedTime(started));
        ServerMetrics.EndRequest(activity, outcome);
        PipelinedSlots.Release();
    }

    /// <summary>Ends the connection with an error frame.</summary>
    /// <param name="error">A code below 100.</param>
    internal void Fail(ProtocolError error) => End(new ErrorReply(error, 0));

    /// <summary>
    /// Ends the connection after telling the peer to come back later: no further request is taken, and those that were taken
    /// are answered first.
    /// </summary>
    /// <param name="retryAfter">When to connect again.</param>
    internal void Drain(TimeSpan retryAfter)
    {
        SetFarewell(new Notice(NoticeKind.ShuttingDown, (uint)retryAfter.TotalMilliseconds));
        Cancel(_reading);
    }

    /// <summary>Ends a connection that drains, whether or not everything is answered.</summary>
    internal void EndDrain()
    {
        // Not by its token, which a connection that has just ended has no more.
        if (_reading.IsCancellationRequested)
        {
            Cancel(_closing);
        }
    }

    /// <summary>Waits until every pipelined request is answered; no further one may be taken.</summary>
    internal async Task AnsweredAsync()
    {
        for (var i = 0; i < PipelinedRequests; i++)
        {
            await PipelinedSlots.WaitAsync(Closing);
        }
    }

    /// <summary>A frame came.</summary>
    internal void Heard() => Volatile.Write(ref _silentIntervals, 0);

    /// <summary>Another interval is over: asks a signed-in peer for a sign of life, or ends its connection, when it was silent for so long.</summary>
    /// <returns>What was done.</returns>
    internal KeepAliveStep Watch(KeepAlive keepAlive)
    {
        // Who is not signed in has a deadline of its own.
        var step = _peer is null ? KeepAliveStep.Wait : keepAlive.Next(ref _silentIntervals);
        switch (step)
        {
            case KeepAliveStep.Ping:
                // Without room much waits to be sent to it already.
                Outgoing.TryEnqueue(PingPush, 0);
                break;
            case KeepAliveStep.End:
                Fail(ProtocolError.TimedOut);
                break;
        }

        return step;
    }

    // By the clock on the wall: what is waited for is the peer's socket.
    private async Task EndAfterAsync(TimeSpan grace)
    {
        await Task.Delay(grace);
        EndDrain();
    }

    private void End(IWireMessage farewell)
    {
        SetFarewell(farewell);
        Cancel(_closing);
    }

    private void SetFarewell(IWireMessage farewell)
    {
        lock (_signIn)
        {
            Farewell ??= farewell;
        }
    }

    private static void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The connection ended by itself in this very moment.
        }
    }

    /// <summary>Cancels <see cref="Closing"/> without a word to the peer.</summary>
    internal void StopWaiting() => _closing.Cancel();

    /// <summary>Runs an action once the connection has ended.</summary>
    /// <param name="action">Must not throw.</param>
    public void OnClosed(Action action)
    {
        lock (_onClosed)
        {
            _onClosed.Add(action);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _expiry.Dispose();
        lock (_onClosed)
        {
            _onClosed.ForEach(static action => action());
        }

        foreach (var (_, state) in _state)
        {
            (state as IDisposable)?.Dispose();
        }

        _channel.Dispose();
        _reading.Dispose();
        _closing.Dispose();
    }
}
