using System.Threading.Channels;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Client.Conversations;

/// <summary>
/// Receives: keeps a connection to the home server, decrypts what is pushed, commits message and ratchet state in one
/// transaction, and only then acknowledges.
/// </summary>
internal sealed partial class Receiver(LocalStore store, Incoming incoming, MessagingOptions options) : IAsyncDisposable
{
    // How many messages may be on their way to this client: enough to hide a round trip, small enough to hold in memory.
    private const int Credit = 64;

    // How often what is due is looked after although nothing came: what was postponed, and prekeys that are to be replaced.
    private static readonly TimeSpan FollowUpInterval = TimeSpan.FromMinutes(10);

    private readonly ILogger _logger = options.LoggerFactory.CreateLogger<Receiver>();
    private readonly CancellationTokenSource _closing = new();
    private readonly Channel<(MessageServerLink Link, Deliver Delivery)> _pushed =
        Channel.CreateUnbounded<(MessageServerLink, Deliver)>();

    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Channel<bool> _followUps = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private Task? _running;
    private MessageServerLink? _link;
    private ServerId _home;
    private volatile MessagingException? _failure;
    private volatile Interruption? _interruption;
    private ulong _newestWaiting = ulong.MaxValue;
    private ulong _newestSeen;
    private volatile bool _isShortOfPrekeys;

    /// <summary>Why receiving stopped for good; null while it goes on.</summary>
    public MessagingException? Failure => _failure;

    /// <summary>Why there is no connection, while it is being tried again; null while there is one.</summary>
    public Interruption? Interrupted => _interruption;

    /// <summary>Whether everything that waited when the server was last asked has been committed and acknowledged.</summary>
    public bool IsDrained => Volatile.Read(ref _newestSeen) >= Volatile.Read(ref _newestWaiting);

    /// <summary>Starts receiving, once. False when it had started before.</summary>
    /// <param name="findHome">Finds the home server.</param>
    /// <param name="flushOutbox">Sends what waits to be sent, on each new connection.</param>
    /// <param name="followUp">Does what follows from received messages; told whether the server runs out of prekeys.</param>
    public bool Start(
        Func<CancellationToken, Task<MessageServerConnection>> findHome,
        Func<CancellationToken, Task> flushOutbox,
        Func<bool, CancellationToken, Task> followUp)
    {
        if (_running is not null)
        {
            return false;
        }

        _running = Task.WhenAll(
            Task.Run(() => SurviveAsync(() => StayConnectedAsync(findHome, flushOutbox))),
            Task.Run(() => SurviveAsync(CommitAsync)),
            Task.Run(() => SurviveAsync(() => FollowUpAsync(followUp))));
        return true;
    }

    /// <summary>Asks the server anew what waits: <see cref="IsDrained"/> is false until that has been committed.</summary>
    public async Task LookAgainAsync(CancellationToken cancellationToken)
    {
        // In this order: a connection that is in its place only after this has yet to ask, and tells.
        Interlocked.Exchange(ref _newestWaiting, ulong.MaxValue);
        if (Volatile.Read(ref _link) is { } link)
        {
            try
            {
                await AskAsync(link, 0, cancellationToken).ConfigureAwait(false);
            }
            catch (MessagingException e) when (Failures.IsWorthRetrying(e) || e.Failure == MessagingFailure.NotLoggedIn)
            {
                // The next connection asks, or receiving has stopped.
            }
        }
    }

    /// <summary>Waits until something may have changed: a message committed, the mailbox emptied, a failure.</summary>
    public async Task<bool> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            await _changed.Reader.ReadAsync(cancellationToken).AsTask()
                .WaitAsync(timeout, options.Time, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Handles what a message server pushed.</summary>
    public ValueTask OnPushAsync(MessageServerLink link, MessageCode code, ReadOnlyMemory<byte> payload)
    {
        if (code == MessageCode.Deliver)
        {
            // Bounded by the credit that was granted, on this connection and the one before.
            if (_pushed.Reader.Count >= 2 * Credit)
            {
                throw new ProtocolException(ProtocolError.Malformed, "More was delivered than there was credit for.");
            }

            _pushed.Writer.TryWrite((link, WireReader.ReadWhole<Deliver>(payload.Span)));
        }
        else if (code == MessageCode.PrekeysLow)
        {
            _isShortOfPrekeys = true;
            _followUps.Writer.TryWrite(true);
        }
        else if (code == MessageCode.Notice && WireReader.ReadWhole<Notice>(payload.Span).Kind == NoticeKind.TakenOver)
        {
            Fail(new MessagingException(MessagingFailure.TakenOver, "another connection of this device receives now"));
        }

        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        if (_running is not null)
        {
            await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _closing.Dispose();
    }

    // A loop that ended without a word would leave its reader waiting for ever.
    private async Task SurviveAsync(Func<Task> loop)
    {
        try
        {
            await loop().ConfigureAwait(false);
        }
        catch (MessagingException e)
        {
            Fail(e);
        }
        catch (Exception e) when (!_closing.IsCancellationRequested)
        {
            // A fault of our own.
            Fail(new MessagingException(MessagingFailure.Refused, $"receiving failed: {e.Message}", e));
        }
    }

    private async Task StayConnectedAsync(
        Func<CancellationToken, Task<MessageServerConnection>> findHome,
        Func<CancellationToken, Task> flushOutbox)
    {
        var delay = options.FirstReconnectDelay;
        while (_failure is null && !_closing.IsCancellationRequested)
        {
            try
            {
                var home = await findHome(_closing.Token).ConfigureAwait(false);
                var link = await home.ConnectAsync(_closing.Token).ConfigureAwait(false);
                if (_home != home.Id)
                {
                    // Another mailbox, with numbers of its own.
                    _home = home.Id;
                    Volatile.Write(ref _newestSeen, 0);
                }

                Interlocked.Exchange(ref _link, link);
                await AskAsync(link, Credit, _closing.Token).ConfigureAwait(false);
                delay = options.FirstReconnectDelay;
                await flushOutbox(_closing.Token).ConfigureAwait(false);
                Log.ConnectionEnded(_logger, (await link.Ended.WaitAsync(_closing.Token).ConfigureAwait(false)).Failure);
            }
            catch (MessagingException e) when (Failures.IsWorthRetrying(e) || e.Failure == MessagingFailure.RecipientNotReady)
            {
                var wait = Retry.Wait(e, delay);
                Log.ConnectFailed(_logger, e.Failure, wait);
                _interruption = new Interruption(e, wait);
                Signal();
                await Task.Delay(wait, options.Time, _closing.Token).ConfigureAwait(false);
                delay = Retry.Next(options, delay);
            }
        }
    }

    private async Task AskAsync(MessageServerLink link, uint credit, CancellationToken cancellationToken)
    {
        var granted = await link.RequestAsync<CreditGranted>(new GrantCreditRequest(credit), cancellationToken).ConfigureAwait(false);
        Interlocked.Exchange(ref _newestWaiting, granted.NewestWaiting);
        _interruption = null;
        Signal();
        FollowUpOnceDrained();
    }

    private void FollowUpOnceDrained()
    {
        if (IsDrained)
        {
            _followUps.Writer.TryWrite(true);
        }
    }

    // Only when the mailbox is empty: what waits in it may bring what would be asked for.
    private async Task FollowUpAsync(Func<bool, CancellationToken, Task> followUp)
    {
        // One reading at a time, or those that were given up would take the signals of those that wait.
        var signal = _followUps.Reader.ReadAsync(_closing.Token).AsTask();
        while (true)
        {
            try
            {
                await signal.WaitAsync(FollowUpInterval, options.Time, _closing.Token).ConfigureAwait(false);
                signal = _followUps.Reader.ReadAsync(_closing.Token).AsTask();
            }
            catch (TimeoutException)
            {
                // It is time.
            }

            var isShortOfPrekeys = _isShortOfPrekeys;
            _isShortOfPrekeys = false;
            try
            {
                await followUp(isShortOfPrekeys, _closing.Token).ConfigureAwait(false);
            }
            catch (MessagingException e) when (e.Failure != MessagingFailure.StoreUnusable)
            {
                Log.FollowUpFailed(_logger, e.Failure);
            }
        }
    }

    // A store that fails ends it: nothing is acknowledged that is not committed, so nothing is lost.
    private async Task CommitAsync()
    {
        while (await _pushed.Reader.WaitToReadAsync(_closing.Token).ConfigureAwait(false))
        {
            var committed = 0u;
            MessageServerLink? link = null;
            SequenceRange? range = null;

            // One connection a batch: on a new one the mailbox comes again from its oldest message.
            while (committed < Credit / 2 && _pushed.Reader.TryPeek(out var pushed) && (link ??= pushed.Link) == pushed.Link)
            {
                _pushed.Reader.TryRead(out _);
                store.Write(transaction => incoming.Take(transaction, pushed.Delivery));
                if (pushed.Delivery.Sequence is > 0 and var sequence)
                {
                    range = new SequenceRange(range?.First ?? sequence, sequence);
                }

                committed++;
            }

            Signal();
            if (link is not null)
            {
                await AcknowledgeAsync(link, range is null ? [] : [range.Value], committed).ConfigureAwait(false);

                // Only now: whoever stops once the mailbox is empty must not take the acknowledgement along.
                Volatile.Write(ref _newestSeen, Math.Max(range?.Last ?? 0, _newestSeen));
                Signal();
                FollowUpOnceDrained();
            }
        }
    }

    // Pushes come in mailbox order, so a range from the first to the last of a batch names no message that was not committed.
    // Only on the connection that they came on: credit makes a connection the one that receives, and to open another for it
    // would take receiving away from a client that just took over.
    private async Task AcknowledgeAsync(MessageServerLink link, SequenceRange[] ranges, uint count)
    {
        try
        {
            await link.RequestAsync<Done>(new AcknowledgeRequest(ranges, count), _closing.Token).ConfigureAwait(false);
        }
        catch (MessagingException e) when (Failures.IsWorthRetrying(e) || e.Failure == MessagingFailure.NotLoggedIn)
        {
            // The message comes again after reconnecting and is then known by its id.
            Log.AcknowledgeFailed(_logger, e.Failure);
        }
    }

    private void Fail(MessagingException failure)
    {
        _failure ??= failure;
        Signal();
    }

    private void Signal() => _changed.Writer.TryWrite(true);

    private static partial class Log
    {
        [LoggerMessage(4001, LogLevel.Information, "The connection to the home server ended: {Failure}.")]
        public static partial void ConnectionEnded(ILogger logger, ChannelFailure failure);

        [LoggerMessage(4002, LogLevel.Information, "Connecting to the home server failed: {Failure}; next try in {Delay}.")]
        public static partial void ConnectFailed(ILogger logger, MessagingFailure failure, TimeSpan delay);

        [LoggerMessage(4003, LogLevel.Information, "An acknowledgement was not answered: {Failure}.")]
        public static partial void AcknowledgeFailed(ILogger logger, MessagingFailure failure);

        [LoggerMessage(4006, LogLevel.Information, "What follows from received messages could not be done now: {Failure}.")]
        public static partial void FollowUpFailed(ILogger logger, MessagingFailure failure);
    }

    /// <summary>A connection that failed, and when the next one is tried.</summary>
    internal sealed record Interruption(MessagingException Reason, TimeSpan RetryIn);
}
