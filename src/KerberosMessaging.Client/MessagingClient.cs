using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using KerberosMessaging.Client.Blobs;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Conversations;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Client;

/// <summary>
/// A client of a realm on one device: logged in, sending and receiving end-to-end encrypted messages. It reconnects and
/// renews its tickets by itself. Safe for use from several threads.
/// </summary>
public sealed partial class MessagingClient : IAsyncDisposable
{
    private readonly MessagingOptions _options;
    private readonly LocalStore _store;
    private readonly Account _account;
    private readonly TicketCache _tickets;
    private readonly ServerClock _clock;
    private readonly AuthSession _auth;
    private readonly Servers _servers;
    private readonly ThisDevice _self;
    private readonly Contacts _contacts;
    private readonly Sender _sender;
    private readonly Receiver _receiver;
    private readonly PrekeyKeeper _prekeys;
    private readonly Linking _linking;
    private readonly Errands _errands;
    private readonly BlobTransfer _blobs;
    private readonly Lock _lookingAfterGate = new();
    private Task? _lookingAfter;
    private volatile bool _isLookedAfter;
    private int _disposed;

    private MessagingClient(RealmPin realm, LocalStore store, Account account, MessagingOptions options)
    {
        _options = options;
        _store = store;
        _account = account;
        _tickets = new TicketCache(store);
        _clock = new ServerClock(options.Time);
        _auth = new AuthSession(realm, options, _tickets, _clock);
        _servers = new Servers(_auth, options, _clock, (link, code, payload) => _receiver!.OnPushAsync(link, code, payload));
        _self = ThisDevice.Load(store, account);
        _contacts = new Contacts(store, _auth, account, options);
        _sender = new Sender(store, _contacts, _servers, _self, options);
        _receiver = new Receiver(store, new Incoming(_self, _contacts, options), options);
        _prekeys = new PrekeyKeeper(store, _self, options);
        _linking = new Linking(store, _self, _contacts, _auth, _sender, _clock, options);
        _errands = new Errands(store, _contacts, _sender, _clock, _self, options);
        _blobs = new BlobTransfer(options);
    }

    private ILogger Logger => _options.LoggerFactory.CreateLogger<MessagingClient>();

    /// <summary>The client's name as registered.</summary>
    public string Name => _account.Name;

    /// <summary>The client's id.</summary>
    public ClientId Id => _account.Client;

    /// <summary>This device's id.</summary>
    public DeviceId Device => _account.Device;

    /// <summary>A copy of the store key: whoever has it opens the store without the password, so keep it no longer than the login.</summary>
    public SecretBytes CopyStoreKey() => _store.CopyKey();

    /// <summary>Encrypts a text to every device of a client and sends it. Returns once the message server has committed it.</summary>
    /// <param name="recipient">The client's name.</param>
    /// <param name="text">The text.</param>
    /// <param name="cancellationToken">Ends the wait; the message may still be sent, now or at the next start.</param>
    /// <exception cref="MessagingException">It could not be sent.</exception>
    public Task<SentMessage> SendTextAsync(string recipient, string text, CancellationToken cancellationToken = default) =>
        SendAsync(recipient, MessageContent.OfText(text, _clock.Now), cancellationToken);

    /// <summary>Encrypts a message to every device of a client and sends it. Returns once the message server has committed it.</summary>
    /// <param name="recipient">The client's name.</param>
    /// <param name="content">The content.</param>
    /// <param name="cancellationToken">Ends the wait; the message may still be sent, now or at the next start.</param>
    /// <exception cref="MessagingException">It could not be sent.</exception>
    public async Task<SentMessage> SendAsync(string recipient, MessageContent content, CancellationToken cancellationToken = default)
    {
        try
        {
            await LookAfterOnceAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (MessagingException e) when (Failures.IsWorthRetrying(e))
        {
            _sender.Keep(recipient, content);
            throw;
        }

        return await _sender.SendAsync(recipient, content, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The messages that were not read yet, in order, and with <paramref name="follow"/> those that come. Each is committed to
    /// the local store before it is acknowledged to the server, and counts as read once the next one is asked for.
    /// </summary>
    /// <param name="follow">Whether to wait for more when the mailbox is empty.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <exception cref="MessagingException">Receiving stopped for good, or without <paramref name="follow"/> the server was not reached in time.</exception>
    public async IAsyncEnumerable<ReceivedMessage> ReceiveAsync(
        bool follow,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (!_receiver.Start(FindHomeAsync, _sender.FlushOutboxAsync, FollowUpAsync) && !follow)
        {
            await LookAgainAsync(cancellationToken).ConfigureAwait(false);
        }

        var started = _options.Time.GetTimestamp();
        var after = 0L;
        while (true)
        {
            // Looked at before the store, so that what was committed in between is still found.
            var isDrained = _receiver.IsDrained;
            if (_store.Read(transaction => transaction.NextUnread(after)) is { } message)
            {
                yield return await JudgeAsync(message, cancellationToken).ConfigureAwait(false);
                after = message.Id;
                _store.Write(transaction => transaction.MarkRead(message.Id, _options.Time.GetUtcNow()));
                continue;
            }

            if (_receiver.Failure is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }

            if (isDrained && !follow)
            {
                await FinishAsync(cancellationToken).ConfigureAwait(false);
                yield break;
            }

            if (!follow
                && _receiver.Interrupted is { } interrupted
                && interrupted.RetryIn >= _options.OperationTimeout - _options.Time.GetElapsedTime(started))
            {
                throw interrupted.Reason;
            }

            var timeout = follow ? Timeout.InfiniteTimeSpan : _options.OperationTimeout;
            if (!await _receiver.WaitAsync(timeout, cancellationToken).ConfigureAwait(false))
            {
                throw new MessagingException(MessagingFailure.Unreachable, "the message server cannot be reached");
            }
        }
    }

    /// <summary>The tickets in the cache, the ticket-granting ticket first.</summary>
    public IReadOnlyList<TicketInfo> ListTickets()
    {
        var list = new List<TicketInfo>();
        if (_tickets.HasGranting)
        {
            using var granting = _tickets.GetGranting();
            list.Add(Describe(null, "ticket-granting ticket", granting));
        }

        foreach (var server in _tickets.ListServices())
        {
            using var ticket = _tickets.GetService(server);
            if (ticket is not null)
            {
                list.Add(Describe(server, $"message server {server}", ticket));
            }
        }

        return list;
    }

    /// <summary>Ends the session at the auth server, forgets its tickets, and closes what they opened.</summary>
    /// <param name="everywhere">All sessions of the client, not only this one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="MessagingException">The auth server was not reached; the tickets are forgotten all the same.</exception>
    public async Task LogoutAsync(bool everywhere, CancellationToken cancellationToken = default)
    {
        try
        {
            await RequestAsync<Done>(new LogoutRequest(everywhere), cancellationToken).ConfigureAwait(false);
        }
        catch (MessagingException e) when (e.Failure == MessagingFailure.NotLoggedIn)
        {
            // The session had ended already.
        }
        finally
        {
            await ForgetLoginAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Closes connections and store. Nothing is lost: what was not acknowledged comes again, what was not sent is in the outbox.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _receiver.DisposeAsync().ConfigureAwait(false);
        await _servers.DisposeAsync().ConfigureAwait(false);
        await _auth.DisposeAsync().ConfigureAwait(false);
        _errands.Dispose();
        _prekeys.Dispose();
        _self.Dispose();
        _store.Dispose();
    }

    private static TicketInfo Describe(ServerId? server, string name, CachedTicket ticket) =>
        new(server, name, ticket.Times.StartsAt, ticket.Times.EndsAt, ticket.Times.RenewableUntil);

    private async Task ForgetLoginAsync()
    {
        _tickets.Clear();
        await _auth.DisconnectAsync().ConfigureAwait(false);
        await _servers.DisconnectAsync().ConfigureAwait(false);
    }

    private async Task LookAgainAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _receiver.LookAgainAsync(cancellationToken)
                .WaitAsync(_options.OperationTimeout, _options.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new MessagingException(MessagingFailure.Unreachable, "the message server did not answer in time", e);
        }
    }

    private async Task FollowUpAsync(bool isShortOfPrekeys, CancellationToken cancellationToken)
    {
        await _errands.RunAsync(cancellationToken).ConfigureAwait(false);
        if (isShortOfPrekeys || _prekeys.IsDue)
        {
            await _prekeys.RunAsync(_servers.Get(_store.Read(HomeServer.Load)!), cancellationToken).ConfigureAwait(false);
        }
    }

    // Whoever only looks in once also does what the others wait for; what cannot be done now stays due.
    private async Task FinishAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Retry.OnceAsync(
                _options,
                async token =>
                {
                    await _errands.RunAsync(token).ConfigureAwait(false);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (MessagingException e) when (e.Failure != MessagingFailure.StoreUnusable)
        {
            Log.Unfinished(Logger, e.Failure);
        }
    }

    private async Task<MessageServerConnection> FindHomeAsync(CancellationToken cancellationToken)
    {
        MessageServerConnection home;
        try
        {
            var self = await _linking.EnsureAsync(cancellationToken).ConfigureAwait(false);
            if (self.HomeServer.IsZero)
            {
                throw new MessagingException(MessagingFailure.RecipientNotReady, "the realm has no message server yet");
            }

            home = await _servers.GetAsync(self.HomeServer, cancellationToken).ConfigureAwait(false);
            _store.Write(transaction => home.Entry.Save(transaction));
        }
        catch (MessagingException e) when (Failures.IsWorthRetrying(e) && _store.Read(HomeServer.Load) is { } known)
        {
            // The auth server is away: the home server serves on, until the ticket ends.
            home = _servers.Get(known);
        }

        await _prekeys.RunAsync(home, cancellationToken).ConfigureAwait(false);
        _isLookedAfter = true;
        return home;
    }

    // By its prekeys a store that was put back to an earlier state is found out. With its ratchets keys would be used twice, so nothing
    // is encrypted before that. Whoever comes meanwhile waits for the same.
    private async Task LookAfterOnceAsync(CancellationToken cancellationToken)
    {
        if (_isLookedAfter)
        {
            return;
        }

        Task looking;
        lock (_lookingAfterGate)
        {
            if (_lookingAfter is null or { IsCompleted: true })
            {
                _lookingAfter = Task.Run(() => Retry.RunAsync(_options, FindHomeAsync, CancellationToken.None), CancellationToken.None);
            }

            looking = _lookingAfter;
        }

        await looking.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
