using System.Runtime.InteropServices;
using System.Security.Cryptography;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Client.Conversations;

/// <summary>
/// Reads what was delivered, within a transaction: the message, the advanced ratchet, and what is to be done about it are in the store
/// together, before anything is acknowledged.
/// </summary>
internal sealed partial class Incoming(ThisDevice self, Contacts contacts, MessagingOptions options)
{
    private readonly ILogger _logger = options.LoggerFactory.CreateLogger<Incoming>();

    private Account Account => self.Account;

    /// <summary>Takes one delivery. A repeat of one that was taken before changes nothing.</summary>
    public void Take(StoreTransaction transaction, Deliver delivery)
    {
        if (transaction.IsReceived(delivery.Sender, delivery.Message))
        {
            return;
        }

        var now = options.Time.GetUtcNow();
        transaction.AddReceived(delivery.Sender, delivery.Message, now);
        var device = transaction.FindDevice(delivery.Sender, delivery.SenderDevice);
        if (EnvelopeFormat.TryReadCredentials(delivery.Envelope.Span, out var credentials))
        {
            if (contacts.PinSender(transaction, delivery, credentials) is null)
            {
                AddProblem(transaction, delivery, MessageProblem.UntrustedSender);

                // Whoever it claims to be of can be asked, once the realm has certified that device.
                transaction.AddUnreadable(delivery.Sender, delivery.SenderDevice, delivery.Message, now);
                return;
            }

            device = transaction.FindDevice(delivery.Sender, delivery.SenderDevice);
        }

        var result = DecryptResult.NoSession;
        byte[] plaintext = [];
        if (device is not null)
        {
            result = Decrypt(transaction, delivery, device, now, out plaintext);
        }

        if (result == DecryptResult.Ok)
        {
            var content = MessageContent.TryRead(plaintext);
            if (content is null || ControlMessages.IsShown(content.Kind) || content.Kind == MessageKind.SentCopy)
            {
                // Sooner or later an answer is due, if the user sends none. Only for messages of people, or two idle devices would answer
                // each other for ever.
                transaction.SetAnswerDue(delivery.Sender, delivery.SenderDevice, true);
            }

            Handle(transaction, delivery, device!, delivery.Message, plaintext, content);
            CryptographicOperations.ZeroMemory(plaintext);
            Erase(content);
            return;
        }

        // Also a message that counts as a duplicate: its id was never seen, so one of the two sides has gone back in time.
        Log.Unreadable(_logger, result);
        AddProblem(transaction, delivery, MessageProblem.Unreadable);
        transaction.AddUnreadable(delivery.Sender, delivery.SenderDevice, delivery.Message, now);
    }

    private DecryptResult Decrypt(
        StoreTransaction transaction, Deliver delivery, StoredDevice device, DateTimeOffset now, out byte[] plaintext)
    {
        var isStart = EnvelopeFormat.TryReadKind(delivery.Envelope.Span, out var kind) && kind == EnvelopeKind.Prekey;
        using var prekeys = isStart ? DeviceKeys.Prekeys(transaction) : null;
        using var sessions = transaction.GetSessions(delivery.Sender, delivery.SenderDevice);
        var result = sessions.Decrypt(
            self.Identity,
            prekeys,
            device.Identity,
            delivery.Envelope.Span,
            delivery.Message.Value.ToByteArray(bigEndian: true),
            now,
            out plaintext);
        if (result == DecryptResult.Ok)
        {
            transaction.SetSessions(delivery.Sender, delivery.SenderDevice, sessions);
            if (prekeys?.IsChanged == true)
            {
                DeviceKeys.SavePrekeys(transaction, prekeys);
            }
        }

        return result;
    }

    /// <summary>Does what a content asks for. <paramref name="message"/> is the id that it was first sent under.</summary>
    private void Handle(
        StoreTransaction transaction, Deliver delivery, StoredDevice device, MessageId message, byte[] plaintext, MessageContent? content)
    {
        // Bytes of another format are kept as they are: a newer version may know it.
        if (content is null || ControlMessages.IsShown(content.Kind))
        {
            transaction.AddMessage(new NewMessage(
                message,
                delivery.Sender,
                false,
                delivery.SenderDevice,
                NameOf(transaction, delivery),
                delivery.AcceptedAt,
                plaintext,
                MessageProblem.None));
            return;
        }

        // The account key comes to a device that knows none yet, and proves itself. All else is for devices that are their client's.
        if (content.Kind != MessageKind.AccountKey && !contacts.IsTaken(contacts.StandingOf(transaction, delivery.Sender, device)))
        {
            transaction.AddUnreadable(delivery.Sender, delivery.SenderDevice, delivery.Message, options.Time.GetUtcNow());
            return;
        }

        switch (content.Kind)
        {
            case MessageKind.SentCopy when delivery.Sender == Account.Client:
                TakeCopy(transaction, delivery, content);
                break;
            case MessageKind.ResendRequest:
                foreach (var wanted in ControlMessages.ReadIds(content.Body.Span) ?? [])
                {
                    transaction.AddResend(delivery.Sender, delivery.SenderDevice, wanted);
                }

                break;
            case MessageKind.Resent when message == delivery.Message:
                TakeResent(transaction, delivery, device, content);
                break;
            case MessageKind.Gone:
                foreach (var gone in ControlMessages.ReadIds(content.Body.Span) ?? [])
                {
                    transaction.RemoveUnreadable(delivery.Sender, delivery.SenderDevice, gone);
                }

                break;
            case MessageKind.AccountKey when delivery.Sender == Account.Client:
                TakeAccountKey(transaction, device, content);
                break;
            default:
                break;
        }
    }

    private void TakeCopy(StoreTransaction transaction, Deliver delivery, MessageContent content)
    {
        if (ControlMessages.ReadSentCopy(content.Body.Span) is not { } copy)
        {
            return;
        }

        if (transaction.FindContact(copy.RecipientName) is null && transaction.FindContactName(copy.Recipient) is null)
        {
            transaction.AddContact(copy.Recipient, copy.RecipientName);
        }

        transaction.AddMessage(new NewMessage(
            copy.Message, copy.Recipient, true, delivery.SenderDevice, Account.Name, delivery.AcceptedAt, copy.Content, MessageProblem.None));
    }

    // Taken only where it is missing: what was read before is not shown a second time.
    private void TakeResent(StoreTransaction transaction, Deliver delivery, StoredDevice device, MessageContent content)
    {
        if (ControlMessages.ReadResent(content.Body.Span) is not { } resent)
        {
            return;
        }

        var isMissing = transaction.RemoveUnreadable(delivery.Sender, delivery.SenderDevice, resent.Message);
        if (isMissing || !transaction.IsReceived(delivery.Sender, resent.Message))
        {
            transaction.AddReceived(delivery.Sender, resent.Message, options.Time.GetUtcNow());
            var inner = MessageContent.TryRead(resent.Content);
            if (inner is not null && !ControlMessages.IsShown(inner.Kind))
            {
                // Nothing that a person would miss: the report of it goes.
                transaction.RemoveProblem(delivery.Sender, resent.Message);
            }

            Handle(transaction, delivery, device, resent.Message, resent.Content, inner);
            CryptographicOperations.ZeroMemory(resent.Content);
            Erase(inner);
        }
    }

    /// <summary>Takes the account key from the device that was given the code shown here; from any other it is refused.</summary>
    private void TakeAccountKey(StoreTransaction transaction, StoredDevice sender, MessageContent content)
    {
        if (Linking.LoadCode(transaction) is not { } code)
        {
            return;
        }

        using (code)
        {
            if (ControlMessages.ReadAccountKey(content.Body.Span) is not { } given)
            {
                return;
            }

            using var seed = given.Seed;
            using var key = Ed25519PrivateKey.FromSeed(seed.Span);
            var expected = code.Prove(key.PublicKey.Span, self.Identity.Public, sender.Identity);
            if (!CryptographicOperations.FixedTimeEquals(expected, given.Proof))
            {
                Log.LinkRefused(_logger);
                return;
            }

            var link = DeviceLink.Sign(key, Account.Client, Account.Device, self.Identity.Public.ToBytes());
            AccountKey.Save(transaction, seed.Span);
            AccountKey.SaveLink(transaction, link);
            transaction.SetContactKey(Account.Client, new ContactKey(key.PublicKey.ToArray(), [], false));
            Linking.ForgetCode(transaction);
            self.SetLink(link);
        }
    }

    private static void Erase(MessageContent? content)
    {
        if (content is not null && MemoryMarshal.TryGetArray(content.Body, out var array))
        {
            CryptographicOperations.ZeroMemory(array);
        }
    }

    private static void AddProblem(StoreTransaction transaction, Deliver delivery, MessageProblem problem) =>
        transaction.AddMessage(new NewMessage(
            delivery.Message,
            delivery.Sender,
            false,
            delivery.SenderDevice,
            NameOf(transaction, delivery),
            delivery.AcceptedAt,
            null,
            problem));

    private static string NameOf(StoreTransaction transaction, Deliver delivery) =>
        transaction.FindContactName(delivery.Sender) ?? delivery.SenderName;

    private static partial class Log
    {
        [LoggerMessage(4004, LogLevel.Information, "A message could not be read: {Result}.")]
        public static partial void Unreadable(ILogger logger, DecryptResult result);

        [LoggerMessage(4005, LogLevel.Warning, "Somebody who was not given the code tried to link this device.")]
        public static partial void LinkRefused(ILogger logger);
    }
}
