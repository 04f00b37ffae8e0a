using System.Collections.Concurrent;
using System.Security.Cryptography;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Client.Conversations;

/// <summary>
/// Sends: encrypts to every accepted device of the recipient, keeps the request in the outbox together with the advanced ratchet
/// state before anything leaves, and repeats that very request until a server answers it (Sesame, section 3.3). The own
/// other devices get a copy.
/// </summary>
internal sealed partial class Sender(LocalStore store, Contacts contacts, IMessageServers servers, ThisDevice self, MessagingOptions options)
{
    // The recipient's devices can change between look-up and SEND; each round repairs the list once.
    private const int Rounds = 4;

    // Revocations come to message servers within a second.
    private static readonly TimeSpan SettlingTime = TimeSpan.FromMilliseconds(250);

    private readonly ILogger _logger = options.LoggerFactory.CreateLogger<Sender>();
    private readonly Outgoing _outgoing = new(self, options);

    // What a caller waits for is not for the outbox to send.
    private readonly ConcurrentDictionary<MessageId, bool> _underWay = new();

    // Taken by whoever starts sessions with a client.
    private readonly ConcurrentDictionary<ClientId, SemaphoreSlim> _starting = new();

    private Account Account => self.Account;

    /// <summary>Sends a message for people: it goes into the history, and to the own other devices.</summary>
    public async Task<SentMessage> SendAsync(string recipient, MessageContent content, CancellationToken cancellationToken)
    {
        var message = MessageId.New();
        _underWay[message] = true;
        try
        {
            var peer = await Retry.RunAsync(options, token => contacts.FindAsync(recipient, token), cancellationToken).ConfigureAwait(false);
            return await DeliverAsync(
                new OutboxEntry(message, peer.Client, null, content.ToBytes(), null), inNewSession: false, cancellationToken).ConfigureAwait(false);
        }
        catch (MessagingException e) when (Failures.IsRefusal(e))
        {
            // The caller knows, and decides; what was merely not answered stays, because it may have been taken.
            store.Write(transaction => transaction.RemoveFromOutbox(message));
            throw;
        }
        finally
        {
            _underWay.TryRemove(message, out _);
        }
    }

    /// <summary>Keeps a message to somebody who is known until the servers are back; it is encrypted only when it is sent.</summary>
    public void Keep(string recipient, MessageContent content) => store.Write(transaction =>
    {
        if (transaction.FindContact(recipient) is { } client && transaction.GetContactKey(client).Seen.Length == 0)
        {
            transaction.PutInOutbox(new OutboxEntry(MessageId.New(), client, null, content.ToBytes(), null));
        }
    });

    /// <summary>Sends something between devices of the SDK to one device alone. It is in the outbox before anything leaves.</summary>
    /// <param name="client">The device's client.</param>
    /// <param name="device">The device.</param>
    /// <param name="content">The content.</param>
    /// <param name="inNewSession">Whether to start a new session for it.</param>
    /// <param name="inTransaction">What changes together with the outbox.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task SendControlAsync(
        ClientId client,
        DeviceId device,
        MessageContent content,
        bool inNewSession,
        Action<StoreTransaction>? inTransaction,
        CancellationToken cancellationToken)
    {
        var entry = new OutboxEntry(MessageId.New(), client, device, content.ToBytes(), null);
        _underWay[entry.Message] = true;
        try
        {
            await DeliverAsync(entry, inNewSession, cancellationToken, inTransaction).ConfigureAwait(false);
        }
        catch (MessagingException e) when (Failures.IsRefusal(e))
        {
            store.Write(transaction => transaction.RemoveFromOutbox(entry.Message));
            throw;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(entry.Content);
            _underWay.TryRemove(entry.Message, out _);
        }
    }

    /// <summary>
    /// Sends what an earlier run prepared and did not see answered. What cannot be sent now is kept for the next time, and
    /// keeps nothing else back.
    /// </summary>
    public async Task FlushOutboxAsync(CancellationToken cancellationToken)
    {
        var unreachable = new HashSet<ClientId>();
        foreach (var entry in store.Read(static transaction => transaction.ListOutbox()))
        {
            if (unreachable.Contains(entry.Recipient) || !_underWay.TryAdd(entry.Message, true))
            {
                continue;
            }

            try
            {
                await DeliverAsync(entry, inNewSession: false, cancellationToken).ConfigureAwait(false);
            }
            catch (MessagingException e) when (e.Failure is not (MessagingFailure.NotLoggedIn or MessagingFailure.StoreUnusable))
            {
                if (Failures.IsRefusal(e) && IsDispensable(entry))
                {
                    store.Write(transaction => transaction.RemoveFromOutbox(entry.Message));
                    continue;
                }

                Log.Kept(_logger, e.Failure);
                if (Failures.IsWorthRetrying(e))
                {
                    // Its message server is away, or the auth server; others may be there.
                    unreachable.Add(entry.Recipient);
                }
            }
            finally
            {
                CryptographicOperations.ZeroMemory(entry.Content);
                _underWay.TryRemove(entry.Message, out _);
            }
        }
    }

    private async Task<SentMessage> DeliverAsync(
        OutboxEntry entry,
        bool inNewSession,
        CancellationToken cancellationToken,
        Action<StoreTransaction>? inTransaction = null)
    {
        var request = entry.Request is null ? null : WireReader.ReadWhole<SendMessageRequest>(entry.Request);
        var withoutMailbox = new HashSet<DeviceId>();
        var missing = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var peer = await FindAsync(entry.Recipient, isStale: round > 0, cancellationToken).ConfigureAwait(false);
            if (request is null || entry.Only is null)
            {
                Contacts.RefuseIfChanged(peer);
            }

            var server = await HomeOfAsync(peer, cancellationToken).ConfigureAwait(false);
            request ??= await Retry.RunAsync(
                options,
                token => PrepareAsync(entry, peer, withoutMailbox, inNewSession, server, inTransaction, token),
                cancellationToken).ConfigureAwait(false);
            var (accepted, mismatch) = await SubmitAsync(server, request, cancellationToken).ConfigureAwait(false);
            if (accepted is not null)
            {
                if (store.Write(transaction => Settle(transaction, entry, peer, request, accepted.AcceptedAt)) is { } copy)
                {
                    await SendCopyAsync(copy, cancellationToken).ConfigureAwait(false);
                }

                return new SentMessage(entry.Message, accepted.AcceptedAt, request.Envelopes.Count);
            }

            if (mismatch is null)
            {
                throw new MessagingException(MessagingFailure.Refused, "the message server gave an answer of an unexpected kind");
            }

            // Nothing was taken, so the same message id may carry other envelopes now.
            withoutMailbox.UnionWith(mismatch.Unknown);
            withoutMailbox.ExceptWith(mismatch.Missing);
            missing = mismatch.Missing.Count;
            request = null;
            if (mismatch.Missing.Count > 0 && round > 0)
            {
                // A fresh look-up did not help: either the realm lists it no more and its message server has yet to hear of that, or its prekeys
                // are on their way.
                await Task.Delay(SettlingTime * (round + 1), options.Time, cancellationToken).ConfigureAwait(false);
            }
        }

        throw missing > 0
            ? new MessagingException(MessagingFailure.RecipientNotReady, "one of the recipient's devices has not brought its keys to the message server yet")
            : new MessagingException(MessagingFailure.Refused, "the message server and the realm do not agree on the recipient's devices");
    }

    private async Task<(MessageAccepted? Accepted, DevicesMismatched? Mismatch)> SubmitAsync(
        IMessageServer server, SendMessageRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await Retry.RunAsync(
                options,
                token => server.RequestAsync(
                    request, static reply => (reply.As<MessageAccepted>(), reply.As<DevicesMismatched>()), token),
                cancellationToken).ConfigureAwait(false);
        }
        catch (MessagingException e) when (e.InnerException is RequestRefusedException { Error: ProtocolError.MessageIdReused })
        {
            // The server has this message in another form, for ids are random: this device was put back to before it was sent.
            return (new MessageAccepted(options.Time.GetUtcNow()), null);
        }
    }

    private async Task<Peer> FindAsync(ClientId client, bool isStale, CancellationToken cancellationToken)
    {
        var name = store.Read(transaction => transaction.FindContactName(client))
            ?? throw new MessagingException(MessagingFailure.UnknownRecipient, "the recipient is not known here any more");
        return await Retry.RunAsync(
            options,
            token => isStale ? contacts.LookUpAsync(name, token) : contacts.FindAsync(name, token),
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<IMessageServer> HomeOfAsync(Peer peer, CancellationToken cancellationToken)
    {
        if (peer.HomeServer.IsZero)
        {
            throw new MessagingException(MessagingFailure.RecipientNotReady, "the realm has no message server yet");
        }

        return await Retry.RunAsync(options, token => servers.GetAsync(peer.HomeServer, token), cancellationToken).ConfigureAwait(false);
    }

    private async Task<SendMessageRequest> PrepareAsync(
        OutboxEntry entry,
        Peer peer,
        HashSet<DeviceId> withoutMailbox,
        bool inNewSession,
        IMessageServer server,
        Action<StoreTransaction>? inTransaction,
        CancellationToken cancellationToken)
    {
        var devices = peer.Devices
            .Where(device => entry.Only is null || device.Device == entry.Only)
            .Where(device => peer.Client != Account.Client || device.Device != Account.Device)
            .Where(IsTaken)
            .ToList();
        var targets = devices.Where(device => !withoutMailbox.Contains(device.Device)).ToList();
        if (!inNewSession && WithoutSession(peer, targets).Count == 0)
        {
            return Prepare(entry, peer, devices, targets, new Dictionary<DeviceId, FetchedPrekeys>(), inTransaction);
        }

        // One after the other: the first one starts the sessions that those behind it use. Prekeys are not there for the taking, and
        // the server limits how often it gives them.
        var starting = _starting.GetOrAdd(peer.Client, static _ => new SemaphoreSlim(1));
        await starting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var wanted = inNewSession ? [.. targets.Select(static device => device.Device)] : WithoutSession(peer, targets);
            var prekeys = await FetchPrekeysAsync(peer, wanted, server, cancellationToken).ConfigureAwait(false);
            if (inNewSession && prekeys.Count == 0)
            {
                throw NotReady(peer);
            }

            return Prepare(entry, peer, devices, targets, prekeys, inTransaction);
        }
        finally
        {
            starting.Release();
        }
    }

    private bool IsTaken(PeerDevice device) => contacts.IsTaken(device.Standing);

    private SendMessageRequest Prepare(
        OutboxEntry entry,
        Peer peer,
        List<PeerDevice> devices,
        List<PeerDevice> targets,
        Dictionary<DeviceId, FetchedPrekeys> prekeys,
        Action<StoreTransaction>? inTransaction) => store.Write(transaction =>
        {
            inTransaction?.Invoke(transaction);
            return _outgoing.Prepare(transaction, entry, peer, targets, prekeys) ?? throw NotReady(peer, devices.Count == 0);
        });

    private List<DeviceId> WithoutSession(Peer peer, List<PeerDevice> devices) => store.Read(transaction => devices
        .Where(device => !Outgoing.HasSession(transaction, peer.Client, device.Device))
        .Select(static device => device.Device)
        .ToList());

    private static async Task<Dictionary<DeviceId, FetchedPrekeys>> FetchPrekeysAsync(
        Peer peer,
        List<DeviceId> wanted,
        IMessageServer server,
        CancellationToken cancellationToken)
    {
        var prekeys = new Dictionary<DeviceId, FetchedPrekeys>();
        if (wanted.Count == 0)
        {
            return prekeys;
        }

        PrekeysReply reply;
        try
        {
            reply = await server.RequestAsync<PrekeysReply>(new FetchPrekeysRequest(peer.Client, wanted), cancellationToken).ConfigureAwait(false);
        }
        catch (MessagingException e) when (e.Failure == MessagingFailure.UnknownRecipient)
        {
            // The realm knows the client, but none of its devices ever came to its message server.
            return prekeys;
        }

        foreach (var (device, bytes, oneTime) in reply.Bundles)
        {
            if (PrekeyBundle.TryRead(bytes, out var bundle))
            {
                prekeys[device] = new FetchedPrekeys(
                    bundle, Find(oneTime, OneTimePrekeyKind.X25519), Find(oneTime, OneTimePrekeyKind.MlKem768));
            }
        }

        return prekeys;
    }

    private static OneTimePublicPrekey? Find(IReadOnlyList<OneTimePrekey> keys, OneTimePrekeyKind kind) =>
        keys.FirstOrDefault(key => key.Kind == kind) is { } found ? new OneTimePublicPrekey(found.Id, found.Key) : null;

    /// <summary>
    /// What changes when a message was taken: the outbox forgets it, what may have to be sent again is remembered, and a message for people
    /// goes into the history and, as a copy, into the outbox for the own other devices.
    /// </summary>
    /// <returns>That copy; null where there is none.</returns>
    private OutboxEntry? Settle(StoreTransaction transaction, OutboxEntry entry, Peer peer, SendMessageRequest request, DateTimeOffset acceptedAt)
    {
        if (!transaction.IsInOutbox(entry.Message))
        {
            // Another process of this device saw it taken, too.
            return null;
        }

        transaction.RemoveFromOutbox(entry.Message);

        // The account key is never kept in a second place.
        if (MessageContent.TryRead(entry.Content) is not { Kind: not MessageKind.AccountKey } content)
        {
            return null;
        }

        // What was sent again is asked for under its first id. Under its own there is nothing that anybody would miss.
        var kept = content.Kind == MessageKind.Resent
            ? new MessageContent(MessageKind.KeyUpdate, content.SentAt, ReadOnlyMemory<byte>.Empty).ToBytes()
            : entry.Content;
        transaction.AddSent(new SentRecord(
            entry.Message, peer.Client, kept, [.. request.Envelopes.Select(static envelope => envelope.Device)], options.Time.GetUtcNow()));
        if (!ControlMessages.IsShown(content.Kind))
        {
            return null;
        }

        transaction.AddMessage(new NewMessage(
            entry.Message, peer.Client, true, Account.Device, Account.Name, acceptedAt, entry.Content, MessageProblem.None));
        if (peer.Client == Account.Client || !HasOtherDevices(transaction))
        {
            return null;
        }

        var body = ControlMessages.OfSentCopy(new SentCopy(peer.Client, peer.Name, entry.Message, entry.Content));
        var copy = new OutboxEntry(
            MessageId.New(), Account.Client, null, new MessageContent(MessageKind.SentCopy, content.SentAt, body).ToBytes(), null);
        transaction.PutInOutbox(copy);
        return copy;
    }

    private bool HasOtherDevices(StoreTransaction transaction) =>
        contacts.FindKnown(transaction, Account.Client)?.Devices.Any(device => device.Device != Account.Device && IsTaken(device)) == true;

    // What is for one device is asked for again if it is missed there, and a copy is for nobody while there is no device for it.
    private bool IsDispensable(OutboxEntry entry) =>
        entry.Only is not null || (entry.Recipient == Account.Client && !store.Read(HasOtherDevices));

    // The message itself is sent; a copy that cannot follow it now stays in the outbox.
    private async Task SendCopyAsync(OutboxEntry copy, CancellationToken cancellationToken)
    {
        if (!_underWay.TryAdd(copy.Message, true))
        {
            return;
        }

        try
        {
            await DeliverAsync(copy, inNewSession: false, cancellationToken).ConfigureAwait(false);
        }
        catch (MessagingException e)
        {
            Log.Kept(_logger, e.Failure);
        }
        finally
        {
            _underWay.TryRemove(copy.Message, out _);
        }
    }

    private static MessagingException NotReady(Peer peer, bool isUnaccepted = false) => new(
        MessagingFailure.RecipientNotReady,
        isUnaccepted && peer.Devices.Count > 0
            ? $"{peer.Name} has only devices that are not linked, or none but this one"
            : $"{peer.Name} has no device yet that a message could be encrypted to");

    private static partial class Log
    {
        [LoggerMessage(4101, LogLevel.Information, "A message of the outbox could not be sent and is kept: {Failure}.")]
        public static partial void Kept(ILogger logger, MessagingFailure failure);
    }
}
