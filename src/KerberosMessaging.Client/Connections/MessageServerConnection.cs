using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client.Connections;

/// <summary>What a message server pushed, with the connection that it came on.</summary>
internal delegate ValueTask PushHandler(MessageServerLink link, MessageCode code, ReadOnlyMemory<byte> payload);

/// <summary>
/// The way to one message server: connects when needed, presents a service ticket, and presents a fresh one on the open
/// channel before the old one ends, unasked.
/// </summary>
internal sealed class MessageServerConnection(
    ServerEntry server,
    AuthSession auth,
    MessagingOptions options,
    ServerClock clock,
    PushHandler onPush) : IMessageServer, IAsyncDisposable
{
    private readonly SemaphoreSlim _connecting = new(1);
    private readonly CancellationTokenSource _closing = new();
    private MessageServerLink? _link;
    private ServerPause? _pause;
    private Task _renewal = Task.CompletedTask;

    public ServerEntry Entry => server;

    public ServerId Id => server.Server;

    private string ServerText => $"the message server at {server.Host}:{server.Port}";

    /// <summary>Sends a request whose reply can be only of one kind.</summary>
    public Task<TReply> RequestAsync<TReply>(IWireMessage request, CancellationToken cancellationToken)
        where TReply : IWireMessage<TReply> => UseAsync(
            connection => connection.RequestAsync<TReply>(request, cancellationToken), cancellationToken);

    /// <summary>Sends a request whose reply can be of several kinds.</summary>
    public Task<T> RequestAsync<T>(IWireMessage request, Func<WireReply, T> read, CancellationToken cancellationToken) => UseAsync(
        async connection => read(await connection.RequestAsync(request, cancellationToken).ConfigureAwait(false)), cancellationToken);

    /// <summary>The open connection; a new one if there is none.</summary>
    public Task<MessageServerLink> ConnectAsync(CancellationToken cancellationToken) =>
        Failures.TranslateAsync(ServerText, () => GetAsync(cancellationToken));

    /// <summary>Closes the connection; the next request opens one, if there is a login.</summary>
    public async Task DisconnectAsync()
    {
        await _connecting.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_link is not null)
            {
                await _link.Connection.DisposeAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            _connecting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Ends a connecting that is under way, which would leave its connection open behind.
        await _closing.CancelAsync().ConfigureAwait(false);
        await DisconnectAsync().ConfigureAwait(false);
        await _renewal.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _connecting.Dispose();
        _closing.Dispose();
    }

    private Task<T> UseAsync<T>(Func<RequestConnection, Task<T>> action, CancellationToken cancellationToken) =>
        Failures.TranslateAsync(ServerText, async () =>
        {
            var link = await GetAsync(cancellationToken).ConfigureAwait(false);
            return await action(link.Connection).ConfigureAwait(false);
        });

    private async Task<MessageServerLink> GetAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        try
        {
            return await GetOrOpenAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(nameof(MessagingClient));
        }
    }

    private async Task<MessageServerLink> GetOrOpenAsync(CancellationToken cancellationToken)
    {
        await _connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_link is { Ended.IsCompleted: false })
            {
                return _link;
            }

            if (Volatile.Read(ref _pause)?.Left is { } left && left > TimeSpan.Zero)
            {
                throw new MessagingException(MessagingFailure.Unreachable, $"{ServerText} is stopping") { RetryAfter = left };
            }

            var ticket = await auth.GetServiceTicketAsync(Id, cancellationToken).ConfigureAwait(false);
            try
            {
                var link = new MessageServerLink(ServerText);
                var connection = await RequestConnection.ConnectAsync(
                    server.Host,
                    server.Port,
                    key => key.SequenceEqual(server.SigningKey),
                    auth.ChannelOptions,
                    (code, payload) => OnPushAsync(link, code, payload),
                    cancellationToken).ConfigureAwait(false);
                link.Connection = connection;
                try
                {
                    if (connection.Channel.Server != Id)
                    {
                        throw new MessagingException(
                            MessagingFailure.UntrustedServer, $"{ServerText} is another server than the one that the realm lists there");
                    }

                    ticket = await PresentAsync(connection, ticket, cancellationToken).ConfigureAwait(false);
                }
                catch
                {
                    await connection.DisposeAsync().ConfigureAwait(false);
                    throw;
                }

                _link = link;
                _renewal = RenewAsync(connection, ticket.RenewAt, _closing.Token);
                return link;
            }
            finally
            {
                ticket.Dispose();
            }
        }
        finally
        {
            _connecting.Release();
        }
    }

    private ValueTask OnPushAsync(MessageServerLink link, MessageCode code, ReadOnlyMemory<byte> payload)
    {
        if (code == MessageCode.Notice
            && WireReader.ReadWhole<Notice>(payload.Span) is { Kind: NoticeKind.ShuttingDown, RetryAfterMilliseconds: var retryAfter })
        {
            Volatile.Write(ref _pause, new ServerPause(options.Time, Retry.Believable(TimeSpan.FromMilliseconds(retryAfter))));
        }

        return onPush(link, code, payload);
    }

    // A cached ticket can be refused although it looks fresh, for instance after the server was enrolled anew: one try
    // with a new one.
    private async Task<CachedTicket> PresentAsync(RequestConnection connection, CachedTicket ticket, CancellationToken cancellationToken)
    {
        try
        {
            await ticket.PresentAsync(connection, cancellationToken).ConfigureAwait(false);
            return ticket;
        }
        catch (RequestRefusedException e) when (e.Error == ProtocolError.TicketRefused)
        {
            ticket.Dispose();
            var fresh = await auth.RequestServiceTicketAsync(Id, cancellationToken).ConfigureAwait(false);
            await fresh.PresentAsync(connection, cancellationToken).ConfigureAwait(false);
            return fresh;
        }
    }

    private async Task RenewAsync(RequestConnection connection, DateTimeOffset renewAt, CancellationToken cancellationToken)
    {
        var delay = options.FirstReconnectDelay;
        while (!connection.Ended.IsCompleted)
        {
            var wait = renewAt - clock.Now;
            if (wait > TimeSpan.Zero)
            {
                await Task.WhenAny(connection.Ended, Task.Delay(wait, options.Time, cancellationToken)).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                continue;
            }

            try
            {
                renewAt = await Failures.TranslateAsync(ServerText, () => RenewOnAsync(connection, cancellationToken)).ConfigureAwait(false);
                delay = options.FirstReconnectDelay;
            }
            catch (MessagingException e)
            {
                // The connection lasts until its ticket ends; until then it is worth trying again. What cannot be mended
                // shows when the server ends the connection and the next one cannot be opened.
                await Task.Delay(Retry.Wait(e, delay), options.Time, cancellationToken).ConfigureAwait(false);
                delay = Retry.Next(options, delay);
            }
        }
    }

    private async Task<DateTimeOffset> RenewOnAsync(RequestConnection connection, CancellationToken cancellationToken)
    {
        using var fresh = await auth.RequestServiceTicketAsync(Id, cancellationToken).ConfigureAwait(false);
        await fresh.PresentAsync(connection, cancellationToken).ConfigureAwait(false);
        return fresh.RenewAt;
    }

    /// <summary>A server that stops said when to come back.</summary>
    private sealed class ServerPause(TimeProvider time, TimeSpan length)
    {
        private readonly long _started = time.GetTimestamp();

        public TimeSpan Left => length - time.GetElapsedTime(_started);
    }
}
