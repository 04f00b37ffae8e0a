using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client.Connections;

/// <summary>The login as it is used: a channel to the auth server, signed in with the ticket-granting ticket when needed.</summary>
internal sealed class AuthSession(RealmPin realm, MessagingOptions options, TicketCache tickets, ServerClock clock) : IRequester, IAsyncDisposable
{
    private readonly SemaphoreSlim _connecting = new(1);
    private readonly SemaphoreSlim _renewing = new(1);
    private readonly CancellationTokenSource _closing = new();
    private RequestConnection? _connection;
    private Task _renewal = Task.CompletedTask;

    /// <summary>The auth server, for a person.</summary>
    public string ServerText => $"the auth server at {realm.Host}:{realm.Port}";

    /// <summary>The channel options of a client: it takes whole messages from the start, since servers prove themselves first.</summary>
    public ChannelOptions ChannelOptions { get; } = new()
    {
        PayloadLimit = ProtocolLimits.PayloadAfterAuthentication,
        Time = options.Time,
    };

    /// <summary>Opens a channel that is not signed in, for registration and login.</summary>
    public static async Task<RequestConnection> ConnectAsync(RealmPin realm, ChannelOptions options, CancellationToken cancellationToken) =>
        await Failures.TranslateAsync($"the auth server at {realm.Host}:{realm.Port}", () => RequestConnection.ConnectAsync(
            realm.Host, realm.Port, realm.IsExpectedKey, options, null, cancellationToken)).ConfigureAwait(false);

    /// <summary>Sends a request on the signed-in channel, opening it when needed.</summary>
    public Task<TReply> RequestAsync<TReply>(IWireMessage request, CancellationToken cancellationToken)
        where TReply : IWireMessage<TReply> => UseAsync(
            connection => connection.RequestAsync<TReply>(request, cancellationToken), cancellationToken);

    /// <summary>Does something on the signed-in channel, opening it when needed.</summary>
    public Task<T> UseAsync<T>(Func<RequestConnection, Task<T>> action, CancellationToken cancellationToken) =>
        Failures.TranslateAsync(ServerText, async () => await action(await GetAsync(cancellationToken).ConfigureAwait(false)).ConfigureAwait(false));

    /// <summary>A service ticket: from the cache while it is fresh, else from the TGS exchange.</summary>
    public async Task<CachedTicket> GetServiceTicketAsync(ServerId server, CancellationToken cancellationToken)
    {
        var cached = tickets.GetService(server);
        if (cached is not null && clock.Now < cached.RenewAt)
        {
            return cached;
        }

        try
        {
            var fresh = await RequestServiceTicketAsync(server, cancellationToken).ConfigureAwait(false);
            cached?.Dispose();
            return fresh;
        }
        catch (MessagingException e) when (Failures.IsWorthRetrying(e) && clock.Now < cached?.Times.EndsAt)
        {
            // The auth server is away, and this one is good for a while yet.
            return cached;
        }
        catch
        {
            cached?.Dispose();
            throw;
        }
    }

    /// <summary>TGS exchange, whatever the cache holds.</summary>
    public async Task<CachedTicket> RequestServiceTicketAsync(ServerId server, CancellationToken cancellationToken)
    {
        await RenewIfDueAsync(cancellationToken).ConfigureAwait(false);
        using var granting = tickets.GetGranting();
        return await UseAsync(
            async connection =>
            {
                var reply = await connection.RequestAsync<ServiceTicketReply>(
                    new ServiceTicketRequest(
                        granting.Ticket, granting.Authenticate(connection.Channel, ServiceTicketRequest.Code), server),
                    cancellationToken).ConfigureAwait(false);
                using var part = TgsReplyPart.TryOpen(reply.SealedPart, granting.SessionKey, reply.Ticket);
                if (part is null || part.Server != server)
                {
                    throw new ProtocolException(ProtocolError.Malformed, "The reply does not open with the session key.");
                }

                // This client's clock may have been set since the handshake.
                clock.Learn(part.ServerTime);
                var ticket = new CachedTicket(reply.Ticket, part.SessionKey.Clone(), part.Times);
                tickets.PutService(server, ticket);
                return ticket;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Renews the ticket-granting ticket when four fifths of its life are over and its renewable life is not, and presents the
    /// new one on the open channel, which would else end with the old one.
    /// </summary>
    public async Task RenewIfDueAsync(CancellationToken cancellationToken)
    {
        await _renewing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var granting = tickets.GetGranting();
            if (clock.Now < granting.RenewAt || granting.Times.EndsAt >= granting.Times.RenewableUntil)
            {
                return;
            }

            await UseAsync(
                async connection =>
                {
                    var reply = await connection.RequestAsync<TicketGranted>(
                        new RenewTicketRequest(
                            granting.Ticket, granting.Authenticate(connection.Channel, RenewTicketRequest.Code)),
                        cancellationToken).ConfigureAwait(false);
                    using var part = AsReplyPart.TryOpen(reply.SealedPart, granting.SessionKey, reply.Ticket)
                        ?? throw new ProtocolException(ProtocolError.Malformed, "The reply does not open with the session key.");
                    clock.Learn(part.ServerTime);
                    using var renewed = new CachedTicket(reply.Ticket, part.SessionKey.Clone(), part.Times);
                    tickets.PutGranting(renewed);
                    await renewed.PresentAsync(connection, cancellationToken).ConfigureAwait(false);
                    return renewed.Times;
                },
                cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _renewing.Release();
        }
    }

    /// <summary>Closes the channel; the next request opens one, if there is a login.</summary>
    public async Task DisconnectAsync()
    {
        await _connecting.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_connection is not null)
            {
                await _connection.DisposeAsync().ConfigureAwait(false);
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
        _renewing.Dispose();
        _closing.Dispose();
    }

    private async Task<RequestConnection> GetAsync(CancellationToken cancellationToken)
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

    private async Task<RequestConnection> GetOrOpenAsync(CancellationToken cancellationToken)
    {
        await _connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_connection is { Ended.IsCompleted: false })
            {
                return _connection;
            }

            using var granting = tickets.GetGranting();
            var connection = await RequestConnection.ConnectAsync(
                realm.Host, realm.Port, realm.IsExpectedKey, ChannelOptions, null, cancellationToken).ConfigureAwait(false);
            try
            {
                clock.Learn(connection.Channel.ServerTime);
                await granting.PresentAsync(connection, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await connection.DisposeAsync().ConfigureAwait(false);
                throw;
            }

            if (_renewal.IsCompleted)
            {
                _renewal = KeepRenewedAsync(_closing.Token);
            }

            return _connection = connection;
        }
        finally
        {
            _connecting.Release();
        }
    }

    // Unasked, because a client that only waits asks for nothing, and a ticket that has ended cannot be renewed.
    private async Task KeepRenewedAsync(CancellationToken cancellationToken)
    {
        var delay = options.FirstReconnectDelay;
        while (true)
        {
            try
            {
                if (WhenToRenew() is not { } renewAt)
                {
                    return;
                }

                var wait = renewAt - clock.Now;
                if (wait > TimeSpan.Zero)
                {
                    await Task.Delay(wait, options.Time, cancellationToken).ConfigureAwait(false);
                }

                await RenewIfDueAsync(cancellationToken).ConfigureAwait(false);
                delay = options.FirstReconnectDelay;
            }
            catch (MessagingException e) when (Failures.IsWorthRetrying(e))
            {
                await Task.Delay(Retry.Wait(e, delay), options.Time, cancellationToken).ConfigureAwait(false);
                delay = Retry.Next(options, delay);
            }
            catch (MessagingException)
            {
                // There is no login any more; whoever uses the channel next is told.
                return;
            }
        }

        DateTimeOffset? WhenToRenew()
        {
            using var granting = tickets.GetGranting();
            return granting.Times.EndsAt < granting.Times.RenewableUntil ? granting.RenewAt : null;
        }
    }
}
