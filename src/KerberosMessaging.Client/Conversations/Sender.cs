using System.Collections.Concurrent;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Client.Conversations;

/// <summary>
/// Sends: encrypts to every device of the recipient, keeps the request in the outbox together with the advanced ratchet
/// state before anything leaves, and repeats that very request until a server answers it.
/// </summary>
internal sealed partial class Sender(LocalStore store, Contacts contacts, Servers servers, Account account, MessagingOptions options)
{
    // The recipient's devices can change between look-up and SEND; each round repairs the list once.
    private const int Rounds = 4;

    // Revocations come to message servers within a second.
    private static readonly TimeSpan SettlingTime = TimeSpan.FromMilliseconds(250);

    private readonly ILogger _logger = options.LoggerFactory.CreateLogger<Sender>();

    // What a caller waits for is not for the outbox to send.
    private readonly ConcurrentDictionary<MessageId, bool> _underWay = new();

    // Taken by whoever starts sessions with a client.
    private readonly ConcurrentDictionary<ClientId, SemaphoreSlim> _starting = new();

    public async Task<SentMessage> SendAsync(string recipient, MessageContent content, CancellationToken cancellationToken)
    {
        var message = MessageId.New();
        var plaintext = content.ToBytes();
        _underWay[message] = true;
        try
        {
            return await DeliverAsync(message, recipient, plaintext, null, cancellationToken).ConfigureAwait(false);
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

    /// <summary>
    /// Sends what an earlier run prepared and did not see answered. What cannot be sent now is kept for the next time, and
    /// keeps nothing else back.
    /// </summary>
    public async Task FlushOutboxAsync(CancellationToken cancellationToken)
    {
        foreach (var entry in store.Read(static transaction => transaction.ListOutbox()))
        {
            if (_underWay.ContainsKey(entry.Message))
            {
                continue;
            }

            try
            {
                var request = entry.Request is null ? null : WireReader.ReadWhole<SendMessageRequest>(entry.Request);
                var recipient = store.Read(transaction => transaction.FindContactName(entry.Recipient))!;
                await DeliverAsync(entry.Message, recipient, entry.Content, request, cancellationToken).ConfigureAwait(false);
            }
            catch (MessagingException e) when (e.Failure is not (MessagingFailure.NotLoggedIn or MessagingFailure.StoreUnusable))
            {
                Log.Kept(_logger, e.Failure);
                if (Failures.IsWorthRetrying(e))
                {
                    return;
                }
            }
        }
    }

    private async Task<SentMessage> DeliverAsync(
        MessageId message,
        string recipient,
        byte[] plaintext,
        SendMessageRequest? request,
        CancellationToken cancellationToken)
    {
        var withoutMailbox = new HashSet<DeviceId>();
        for (var round = 0; round < Rounds; round++)
        {
            var peer = await Retry.RunAsync(options, token => contacts.FindAsync(recipient, token), cancellationToken).ConfigureAwait(false);
            if (peer.Devices.Count == 0)
            {
                throw NotReady(peer);
            }

            contacts.RefuseIfChanged(peer);
            var server = await HomeOfAsync(peer, cancellationToken).ConfigureAwait(false);
            request ??= await Retry.RunAsync(
                options, token => PrepareAsync(message, peer, plaintext, withoutMailbox, server, token), cancellationToken).ConfigureAwait(false);
            var (accepted, mismatch) = await Retry.RunAsync(
                options,
                token => server.RequestAsync(
                    request, static reply => (reply.As<MessageAccepted>(), reply.As<DevicesMismatched>()), token),
                cancellationToken).ConfigureAwait(false);
            if (accepted is not null)
            {
                store.Write(transaction => transaction.RemoveFromOutbox(message));
                return new SentMessage(message, accepted.AcceptedAt, request.Envelopes.Count);
            }

            if (mismatch is null)
            {
                throw new MessagingException(MessagingFailure.Refused, "the message server gave an answer of an unexpected kind");
            }

            // Nothing was taken, so the same message id may carry other envelopes now.
            withoutMailbox.UnionWith(mismatch.Unknown);
            withoutMailbox.ExceptWith(mismatch.Missing);
            request = null;
            if (mismatch.Missing.Any(missing => peer.Devices.All(device => device.Device != missing)))
            {
                // The realm lists it no more: it was just removed, and its message server has yet to hear of that.
                await Task.Delay(SettlingTime * (round + 1), options.Time, cancellationToken).ConfigureAwait(false);
            }
        }

        throw new MessagingException(MessagingFailure.Refused, "the message server and the realm do not agree on the recipient's devices");
    }

    private async Task<MessageServerConnection> HomeOfAsync(Peer peer, CancellationToken cancellationToken)
    {
        if (peer.HomeServer.IsZero)
        {
            throw new MessagingException(MessagingFailure.RecipientNotReady, "the realm has no message server yet");
        }

        return await Retry.RunAsync(options, token => servers.GetAsync(peer.HomeServer, token), cancellationToken).ConfigureAwait(false);
    }

    private async Task<SendMessageRequest> PrepareAsync(
        MessageId message,
        Peer peer,
        byte[] plaintext,
        HashSet<DeviceId> withoutMailbox,
        MessageServerConnection server,
        CancellationToken cancellationToken)
    {
        var devices = peer.Devices
            .Where(device => !withoutMailbox.Contains(device.Device))
            .Where(device => peer.Client != account.Client || device.Device != account.Device)
            .ToList();
        if (WithoutSession(peer, devices).Count == 0)
        {
            return Prepare(message, peer, plaintext, devices, []);
        }

        // One after the other: the first one starts the sessions that those behind it use. Prekeys are not there for the taking, and
        // the server limits how often it gives them.
        var starting = _starting.GetOrAdd(peer.Client, static _ => new SemaphoreSlim(1));
        await starting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var bundles = await FetchBundlesAsync(peer, devices, server, cancellationToken).ConfigureAwait(false);
            return Prepare(message, peer, plaintext, devices, bundles);
        }
        finally
        {
            starting.Release();
        }
    }

    private SendMessageRequest Prepare(
        MessageId message,
        Peer peer,
        byte[] plaintext,
        List<PeerDevice> devices,
        Dictionary<DeviceId, PrekeyBundle> bundles) =>
        store.Write(transaction =>
        {
            using var identity = DeviceKeys.Identity(transaction);
            var envelopes = new List<DeviceEnvelope>();
            foreach (var device in devices)
            {
                if (Encrypt(transaction, identity, peer.Client, device, bundles, plaintext) is { } envelope)
                {
                    envelopes.Add(new DeviceEnvelope(device.Device, envelope));
                }
            }

            if (envelopes.Count == 0)
            {
                throw NotReady(peer);
            }

            var request = new SendMessageRequest(message, peer.Client, 0, DeliveryKind.Durable, envelopes);
            var bytes = WireWriter.ToArray(request);
            RefuseIfTooLarge(request, bytes);
            transaction.PutInOutbox(message, peer.Client, plaintext, bytes);
            return request;
        });

    private List<DeviceId> WithoutSession(Peer peer, List<PeerDevice> devices) => store.Read(transaction => devices
        .Where(device => !HasSession(transaction, peer.Client, device.Device))
        .Select(static device => device.Device)
        .ToList());

    private async Task<Dictionary<DeviceId, PrekeyBundle>> FetchBundlesAsync(
        Peer peer,
        List<PeerDevice> devices,
        MessageServerConnection server,
        CancellationToken cancellationToken)
    {
        var wanted = WithoutSession(peer, devices);
        var bundles = new Dictionary<DeviceId, PrekeyBundle>();
        if (wanted.Count == 0)
        {
            return bundles;
        }

        PrekeysReply reply;
        try
        {
            reply = await server.RequestAsync<PrekeysReply>(new FetchPrekeysRequest(peer.Client, wanted), cancellationToken).ConfigureAwait(false);
        }
        catch (MessagingException e) when (e.Failure == MessagingFailure.UnknownRecipient)
        {
            // The realm knows the client, but none of its devices ever came to its message server.
            return bundles;
        }

        foreach (var (device, bytes, _) in reply.Bundles)
        {
            if (PrekeyBundle.TryRead(bytes, out var bundle))
            {
                bundles[device] = bundle;
            }
        }

        return bundles;
    }

    private byte[]? Encrypt(
        StoreTransaction transaction,
        DeviceIdentity self,
        ClientId client,
        PeerDevice device,
        Dictionary<DeviceId, PrekeyBundle> bundles,
        byte[] plaintext)
    {
        using var sessions = transaction.GetSessions(client, device.Device);
        if (!sessions.HasSession)
        {
            if (!bundles.TryGetValue(device.Device, out var bundle))
            {
                return null;
            }

            try
            {
                sessions.StartSession(self, account.Certificate, device.Identity, bundle);
            }
            catch (EndToEndException e)
            {
                // Not signed by the certified identity: the message server, or who stands in for it, made it up.
                throw new MessagingException(
                    MessagingFailure.UntrustedServer, "the message server gave prekeys that the recipient's device did not sign", e);
            }
        }

        var envelope = sessions.Encrypt(plaintext);
        transaction.SetSessions(client, device.Device, sessions);
        return envelope;
    }

    // Before it is in the outbox: a server ends the connection that such a frame comes on, every time anew.
    private static void RefuseIfTooLarge(SendMessageRequest request, byte[] bytes)
    {
        if (AuthenticatedCbc.SealedLength(bytes.Length) > ProtocolLimits.PayloadAfterAuthentication
            || request.Envelopes.Any(static envelope => envelope.Envelope.Length > ProtocolLimits.EnvelopeBytes))
        {
            throw new MessagingException(
                MessagingFailure.Refused,
                $"the message is too large: encrypted to {request.Envelopes.Count} device(s) it exceeds the {ProtocolLimits.PayloadAfterAuthentication / 1024} KiB of a frame");
        }
    }

    private static MessagingException NotReady(Peer peer) => new(
        MessagingFailure.RecipientNotReady, $"{peer.Name} has no device yet that a message could be encrypted to");

    private static bool HasSession(StoreTransaction transaction, ClientId client, DeviceId device)
    {
        using var sessions = transaction.GetSessions(client, device);
        return sessions.HasSession;
    }

    private static partial class Log
    {
        [LoggerMessage(4101, LogLevel.Information, "A message of the outbox could not be sent and is kept: {Failure}.")]
        public static partial void Kept(ILogger logger, MessagingFailure failure);
    }
}
