using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Conversations;

/// <summary>The prekeys of one device as fetched.</summary>
internal sealed record FetchedPrekeys(PrekeyBundle Bundle, OneTimePublicPrekey? OneTimePrekey, OneTimePublicPrekey? OneTimeKemPrekey);

/// <summary>
/// Encrypts a content to devices, within a transaction: the request is in the outbox together with the advanced ratchets, or nothing
/// of both is.
/// </summary>
internal sealed class Outgoing(ThisDevice self, MessagingOptions options)
{
    /// <summary>Makes the request; null where there is no device that it could be encrypted to.</summary>
    /// <param name="transaction">The transaction.</param>
    /// <param name="outgoing">What is to be sent.</param>
    /// <param name="peer">The recipient.</param>
    /// <param name="devices">Its devices that are to get it.</param>
    /// <param name="prekeys">Prekeys of devices that there is no session with, or that a new one is to be started with.</param>
    public SendMessageRequest? Prepare(
        StoreTransaction transaction,
        OutboxEntry outgoing,
        Peer peer,
        IReadOnlyCollection<PeerDevice> devices,
        IReadOnlyDictionary<DeviceId, FetchedPrekeys> prekeys)
    {
        var envelopes = new List<DeviceEnvelope>();
        foreach (var device in devices)
        {
            if (Encrypt(transaction, outgoing, peer.Client, device, prekeys) is { } envelope)
            {
                envelopes.Add(new DeviceEnvelope(device.Device, envelope));
            }
        }

        if (envelopes.Count == 0)
        {
            return null;
        }

        var leftOut = peer.Devices
            .Select(static device => device.Device)
            .Where(device => device != self.Account.Device && devices.All(target => target.Device != device))
            .ToList();
        var request = new SendMessageRequest(outgoing.Message, peer.Client, 0, DeliveryKind.Durable, envelopes, leftOut);
        var bytes = WireWriter.ToArray(request);
        RefuseIfTooLarge(request, bytes);
        transaction.PutInOutbox(outgoing with { Request = bytes });
        return request;
    }

    public static bool HasSession(StoreTransaction transaction, ClientId client, DeviceId device)
    {
        using var sessions = transaction.GetSessions(client, device);
        return sessions.HasSession;
    }

    private byte[]? Encrypt(
        StoreTransaction transaction,
        OutboxEntry outgoing,
        ClientId client,
        PeerDevice device,
        IReadOnlyDictionary<DeviceId, FetchedPrekeys> prekeys)
    {
        var now = options.Time.GetUtcNow();
        using var sessions = transaction.GetSessions(client, device.Device);
        if (prekeys.TryGetValue(device.Device, out var fetched))
        {
            try
            {
                sessions.StartSession(
                    self.Identity, self.Credentials, device.Identity, fetched.Bundle, fetched.OneTimePrekey, fetched.OneTimeKemPrekey, now);
            }
            catch (EndToEndException e)
            {
                // Not signed by the certified identity: the message server, or who stands in for it, made it up.
                throw new MessagingException(
                    MessagingFailure.UntrustedServer, "the message server gave prekeys that the recipient's device did not sign", e);
            }
        }
        else if (!sessions.HasSession)
        {
            return null;
        }

        var envelope = sessions.Encrypt(outgoing.Content, outgoing.Message.Value.ToByteArray(bigEndian: true), now);
        transaction.SetSessions(client, device.Device, sessions);
        transaction.SetAnswerDue(client, device.Device, false);
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
}
