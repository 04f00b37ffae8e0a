using System.Runtime.ExceptionServices;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client;

public sealed partial class MessagingClient
{
    /// <summary>Whether this device has the account key, so that contacts take it for this client's and it can link others.</summary>
    public bool IsLinked => _linking.IsLinked;

    /// <summary>The contacts as this device knows them, by name, without asking the realm.</summary>
    public IReadOnlyList<Contact> ListContacts() => _contacts.List();

    /// <summary>Looks a client up and computes the safety number shared with it.</summary>
    /// <param name="name">The client's name.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="MessagingException">Unknown, not ready, or not who it was.</exception>
    public async Task<Contact> GetContactAsync(string name, CancellationToken cancellationToken = default)
    {
        // The own account key, too, is learnt by looking oneself up, in a device that is not linked.
        await Retry.RunAsync(_options, token => _contacts.FindAsync(Name, token), cancellationToken).ConfigureAwait(false);
        var peer = await Retry.RunAsync(
            _options, token => _contacts.LookUpAsync(name, token), cancellationToken).ConfigureAwait(false);
        return _contacts.Describe(peer)
            ?? throw new MessagingException(MessagingFailure.RecipientNotReady, $"{peer.Name} has no linked device yet");
    }

    /// <summary>Records that the user compared the safety number with the contact and that it was the same.</summary>
    /// <param name="contact">The contact, with the safety number that was compared.</param>
    public void MarkVerified(Contact contact)
    {
        ArgumentNullException.ThrowIfNull(contact);
        _contacts.Accept(contact, isVerified: true);
    }

    /// <summary>Accepts a contact's changed identity without a comparison: sending goes on, and the contact is unverified.</summary>
    /// <param name="contact">The contact as the user saw it.</param>
    public void AcceptIdentity(Contact contact)
    {
        ArgumentNullException.ThrowIfNull(contact);
        _contacts.Accept(contact, isVerified: contact.Verification == ContactVerification.Verified);
    }

    /// <summary>Takes a device for the contact's although the contact's account key does not vouch for it.</summary>
    /// <param name="contact">The contact.</param>
    /// <param name="device">The device.</param>
    /// <exception cref="MessagingException">The contact has no such device.</exception>
    public void AcceptDevice(Contact contact, DeviceId device)
    {
        ArgumentNullException.ThrowIfNull(contact);
        _contacts.AcceptDevice(contact.Client, device);
    }

    /// <summary>
    /// Makes a code that links this device, to be given to one that is linked, by QR or typed. It is a secret until it was used. The account
    /// key comes as a message: receive until <see cref="IsLinked"/>, or use <see cref="WaitUntilLinkedAsync"/>.
    /// </summary>
    /// <returns>Eight groups of five letters and digits.</returns>
    /// <exception cref="MessagingException">This device is linked already.</exception>
    public string StartLinking() => _linking.StartLinking();

    /// <summary>
    /// Receives until this device is linked. What else comes is committed and stays unread. Not beside <see cref="ReceiveAsync"/>, which
    /// receives as well.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait; the code stays good.</param>
    /// <exception cref="MessagingException">Receiving stopped for good.</exception>
    public async Task WaitUntilLinkedAsync(CancellationToken cancellationToken = default)
    {
        _receiver.Start(FindHomeAsync, _sender.FlushOutboxAsync, FollowUpAsync);
        while (!IsLinked)
        {
            if (_receiver.Failure is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }

            await _receiver.WaitAsync(Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Links the device that shows a code: from now on contacts take it for this client's.</summary>
    /// <param name="code">The code as typed or scanned.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The device.</returns>
    /// <exception cref="MessagingException">The code is of no device of this account, or this device is not linked itself.</exception>
    public async Task<DeviceId> ApproveDeviceAsync(string code, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(code);
        await LookAfterOnceAsync(cancellationToken).ConfigureAwait(false);
        return await _linking.ApproveAsync(code, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The history, newest first: what was received and sent, also by the own other devices.</summary>
    /// <param name="name">The other side; null for all.</param>
    /// <param name="before">Only what stands before this entry (<see cref="HistoryEntry.Position"/>); null for the newest.</param>
    /// <param name="limit">How many at most.</param>
    /// <exception cref="MessagingException">No such contact, or the store cannot be used.</exception>
    public IReadOnlyList<HistoryEntry> ListHistory(string? name = null, long? before = null, int limit = 50) =>
        ReadHistory(name, (transaction, client) => transaction.ListMessages(client, before, limit));

    /// <summary>The texts of the history that contain another, whatever its case, newest first. Everything is decrypted and looked through: there is no index in clear.</summary>
    /// <param name="text">What to look for.</param>
    /// <param name="name">The other side; null for all.</param>
    /// <param name="limit">How many at most.</param>
    /// <exception cref="MessagingException">No such contact, or the store cannot be used.</exception>
    public IReadOnlyList<HistoryEntry> SearchHistory(string text, string? name = null, int limit = 50)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        return ReadHistory(name, (transaction, client) => transaction.SearchMessages(client, text, limit));
    }

    private List<HistoryEntry> ReadHistory(string? name, Func<StoreTransaction, ClientId?, List<StoredMessage>> read) =>
        _store.Read(transaction =>
        {
            return read(transaction, name is null ? null : FindContact(transaction, name)).ConvertAll(message =>
            {
                var problem = ProblemOf(transaction, message);
                return new HistoryEntry
                {
                    Position = message.Id,
                    Id = message.Message,
                    Peer = message.Peer,
                    PeerName = transaction.FindContactName(message.Peer) ?? message.SenderName,
                    SenderName = message.SenderName,
                    IsOutgoing = message.IsOutgoing,
                    AcceptedAt = message.AcceptedAt,
                    Content = problem == MessageProblem.None ? message.Content : null,
                    Problem = problem,
                };
            });
        });

    private static ClientId FindContact(StoreTransaction transaction, string name) => transaction.ListContacts()
        .Where(contact => ClientNames.AreSame(contact.Name, name))
        .Select(static contact => (ClientId?)contact.Client)
        .FirstOrDefault()
        ?? throw new MessagingException(MessagingFailure.UnknownRecipient, $"there is no contact {name} here");

    /// <summary>A message for its reader. One of a device that is not linked is looked into once more: it may be by now.</summary>
    private async Task<ReceivedMessage> JudgeAsync(StoredMessage message, CancellationToken cancellationToken)
    {
        var problem = _store.Read(transaction => ProblemOf(transaction, message));
        if (problem == MessageProblem.UnlinkedDevice)
        {
            try
            {
                await Retry.OnceAsync(
                    _options, token => _contacts.LookUpAsync(message.SenderName, token), cancellationToken).ConfigureAwait(false);
                problem = _store.Read(transaction => ProblemOf(transaction, message));
            }
            catch (MessagingException e) when (e.Failure != MessagingFailure.StoreUnusable)
            {
                // It stays with what is known.
                Log.NotLookedUp(Logger, e.Failure);
            }
        }

        return new ReceivedMessage
        {
            Id = message.Message,
            Sender = message.Peer,
            SenderName = message.SenderName,
            SenderDevice = message.Device,
            AcceptedAt = message.AcceptedAt,
            Content = problem == MessageProblem.None ? message.Content : null,
            Problem = problem,
        };
    }

    private MessageProblem ProblemOf(StoreTransaction transaction, StoredMessage message)
    {
        if (message.Problem != MessageProblem.None || message.IsOutgoing)
        {
            return message.Problem;
        }

        var standing = transaction.FindDevice(message.Peer, message.Device) is { } device
            ? _contacts.StandingOf(transaction, message.Peer, device)
            : DeviceStanding.Unlinked;
        return _contacts.IsTaken(standing) ? MessageProblem.None : MessageProblem.UnlinkedDevice;
    }
}
