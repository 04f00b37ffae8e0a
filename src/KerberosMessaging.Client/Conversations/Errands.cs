using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Protocol;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Client.Conversations;

/// <summary>
/// What follows from messages that were received, and is not for people: asking for what could not be read, sending again what
/// somebody else could not read, and answers that keep ratchets turning. All of it is in the store until it is done, so a crash only delays it.
/// </summary>
internal sealed partial class Errands(LocalStore store, Contacts contacts, Sender sender, ServerClock clock, ThisDevice self, MessagingOptions options)
    : IDisposable
{
    /// <summary>How often one device is asked for a new session.</summary>
    public static readonly TimeSpan AskingInterval = TimeSpan.FromHours(1);

    // How often a device gets again what it asks for: devices of the SDK ask at most once an hour.
    private static readonly TimeSpan ServingInterval = AskingInterval / 2;

    // A message that was asked for so often does not come any more.
    private const int MaxAsked = 3;

    // Nor is anything sent again more often than that while this client runs: asking costs less than answering.
    private const int MaxResent = 3;

    // Ids of what was received, and contents of what was sent, are kept longer than any message waits at a server.
    private static readonly TimeSpan Memory = TimeSpan.FromDays(35);

    private readonly ILogger _logger = options.LoggerFactory.CreateLogger<Errands>();
    private readonly SemaphoreSlim _running = new(1);
    private readonly Dictionary<ResendTask, int> _resent = [];

    /// <summary>Does what is due. What fails is left for the next time.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await _running.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await AskAsync(cancellationToken).ConfigureAwait(false);
            await ResendAsync(cancellationToken).ConfigureAwait(false);
            await AnswerAsync(cancellationToken).ConfigureAwait(false);
            store.Write(transaction =>
            {
                var before = options.Time.GetUtcNow() - Memory;
                transaction.PurgeReceived(before);
                transaction.PurgeSent(before);
                transaction.PurgeUnreadable(before);
            });
        }
        finally
        {
            _running.Release();
        }
    }

    public void Dispose() => _running.Dispose();

    /// <summary>Asks each device of which something was unreadable for a new session and the messages, at most once an hour.</summary>
    private async Task AskAsync(CancellationToken cancellationToken)
    {
        var now = options.Time.GetUtcNow();
        var unreadable = store.Read(static transaction => transaction.ListUnreadable());
        foreach (var group in unreadable.Where(static message => message.Asked < MaxAsked).GroupBy(static message => (message.Sender, message.Device)))
        {
            var (client, device) = group.Key;
            var askedAt = store.Read(transaction => transaction.GetAskedAt(client, device));
            if (askedAt is not null && (now - askedAt.Value).Duration() < AskingInterval)
            {
                continue;
            }

            var messages = group.Select(static message => message.Message).Take(ControlMessages.MaxIds).ToList();
            var isCounted = false;
            var isRefused = !await TryAsync(client, device, token => sender.SendControlAsync(
                client,
                device,
                new MessageContent(MessageKind.ResendRequest, clock.Now, ControlMessages.OfIds(messages)),
                inNewSession: true,
                Count,
                token), cancellationToken).ConfigureAwait(false);
            if (isRefused)
            {
                // A device that is gone, or not taken for its client's, is not tried for ever, but not given up within minutes either.
                isCounted = false;
                store.Write(Count);
            }

            // Once for each time of asking, however often the server had the request changed.
            void Count(StoreTransaction transaction)
            {
                if (!isCounted)
                {
                    isCounted = true;
                    transaction.SetAskedAt(client, device, now);
                    transaction.CountAsked(client, messages);
                }
            }
        }
    }

    /// <summary>Sends again what a device asked for and was sent once; names what cannot be sent again.</summary>
    private async Task ResendAsync(CancellationToken cancellationToken)
    {
        foreach (var group in store.Read(static transaction => transaction.ListResends()).GroupBy(static task => (task.Client, task.Device)))
        {
            var (client, device) = group.Key;
            if (store.Read(transaction => transaction.GetServedAt(client, device)) is { } servedAt
                && (options.Time.GetUtcNow() - servedAt).Duration() < ServingInterval)
            {
                continue;
            }

            if (await IsGoneAsync(client, device, cancellationToken).ConfigureAwait(false))
            {
                store.Write(transaction =>
                {
                    foreach (var task in group)
                    {
                        transaction.RemoveResend(client, device, task.Message);
                    }
                });
                continue;
            }

            var gone = new List<MessageId>();
            foreach (var task in group)
            {
                var (sent, isUnderWay) = store.Read(transaction => (transaction.FindSent(task.Message), transaction.IsInOutbox(task.Message)));
                if (isUnderWay)
                {
                    // The server took it but its answer was lost. It can be sent again as soon as the server has said so.
                    continue;
                }

                var times = _resent.GetValueOrDefault(task);
                if (sent is null || sent.Recipient != client || !sent.Devices.Contains(device) || times == MaxResent)
                {
                    gone.Add(task.Message);
                    continue;
                }

                await TryAsync(client, device, token => sender.SendControlAsync(
                    client,
                    device,
                    new MessageContent(MessageKind.Resent, clock.Now, ControlMessages.OfResent(new Resent(task.Message, sent.Content))),
                    inNewSession: false,
                    transaction =>
                    {
                        // Only now: what never left has not been sent again.
                        _resent[task] = times + 1;
                        transaction.RemoveResend(client, device, task.Message);
                    },
                    token), cancellationToken).ConfigureAwait(false);
            }

            foreach (var ids in gone.Chunk(ControlMessages.MaxIds))
            {
                await TryAsync(client, device, token => sender.SendControlAsync(
                    client,
                    device,
                    new MessageContent(MessageKind.Gone, clock.Now, ControlMessages.OfIds(ids)),
                    inNewSession: false,
                    transaction =>
                    {
                        foreach (var id in ids)
                        {
                            transaction.RemoveResend(client, device, id);
                        }
                    },
                    token), cancellationToken).ConfigureAwait(false);
            }

            store.Write(transaction =>
            {
                if (!transaction.ListResends().Exists(task => task.Client == client && task.Device == device))
                {
                    transaction.SetServedAt(client, device, options.Time.GetUtcNow());
                }
            });
        }
    }

    private async Task AnswerAsync(CancellationToken cancellationToken)
    {
        var now = options.Time.GetUtcNow();
        var due = store.Read(transaction => transaction.ListAnswersDue().FindAll(waiting =>
        {
            using var sessions = transaction.GetSessions(waiting.Client, waiting.Device);
            return sessions.WantsAnswer(now);
        }));
        foreach (var (client, device) in due)
        {
            if (await IsGoneAsync(client, device, cancellationToken).ConfigureAwait(false))
            {
                store.Write(transaction => transaction.SetAnswerDue(client, device, false));
                continue;
            }

            await TryAsync(client, device, token => sender.SendControlAsync(
                client,
                device,
                new MessageContent(MessageKind.KeyUpdate, clock.Now, ReadOnlyMemory<byte>.Empty),
                inNewSession: false,
                transaction => transaction.SetAnswerDue(client, device, false),
                token), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Whether nothing is sent to a device: the realm does not list it any more, or it is not taken for its client's. One that is new is looked up.
    /// </summary>
    private async Task<bool> IsGoneAsync(ClientId client, DeviceId device, CancellationToken cancellationToken)
    {
        if (client == self.Account.Client && device == self.Account.Device)
        {
            return true;
        }

        if (store.Read(IsTaken))
        {
            return false;
        }

        // The name of a client that was never looked up stands only in the history.
        var name = store.Read(transaction => transaction.FindContactName(client)
            ?? transaction.ListMessages(client, null, 1).FirstOrDefault()?.SenderName);
        if (name is null)
        {
            return true;
        }

        try
        {
            await contacts.LookUpAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (MessagingException e) when (Failures.IsWorthRetrying(e))
        {
            Log.Postponed(_logger, e.Failure);
            return false;
        }
        catch (MessagingException e) when (Failures.IsRefusal(e))
        {
            Log.Postponed(_logger, e.Failure);
            return true;
        }

        return !store.Read(IsTaken);

        bool IsTaken(StoreTransaction transaction) =>
            transaction.GetRoute(client) is not null
            && contacts.FindKnown(transaction, client) is { } peer
            && peer.Devices.Any(known => known.Device == device && contacts.IsTaken(known.Standing));
    }

    /// <returns>Whether it was done, or can be later.</returns>
    private async Task<bool> TryAsync(ClientId client, DeviceId device, Func<CancellationToken, Task> errand, CancellationToken cancellationToken)
    {
        try
        {
            if (await IsGoneAsync(client, device, cancellationToken).ConfigureAwait(false))
            {
                return false;
            }

            await errand(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (MessagingException e) when (e.Failure is not (MessagingFailure.NotLoggedIn or MessagingFailure.StoreUnusable))
        {
            Log.Postponed(_logger, e.Failure);
            return !Failures.IsRefusal(e) && e.Failure != MessagingFailure.UntrustedServer;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4401, LogLevel.Information, "Asking for a message, sending one again or answering failed and is tried later: {Failure}.")]
        public static partial void Postponed(ILogger logger, MessagingFailure failure);
    }
}
