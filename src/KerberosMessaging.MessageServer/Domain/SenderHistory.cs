using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// The ids of a device's last messages: a repeat is answered as the first was. What was stored is remembered on disk too, in the
/// transaction that stored the last of it; what a recipient acknowledged before it was ever written is remembered here alone.
/// </summary>
internal sealed class SenderHistory
{
    /// <summary>How many messages of a device are remembered: eight times as many as one connection may have in flight.</summary>
    public const int Remembered = 1024;

    /// <summary>For how long a message id is recognised, unless <see cref="Remembered"/> others came after it.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromDays(7);

    private readonly Lock _lock = new();
    private readonly Dictionary<MessageId, Entry> _entries = [];

    // Apart from the others, so that what is remembered for long holds nothing that the garbage collector must follow.
    private readonly Dictionary<MessageId, PendingSend> _pending = [];
    private readonly Queue<MessageId> _order = [];
    private long _lastNumber;

    /// <summary>Takes up what is on disk.</summary>
    /// <param name="mailbox">The device's mailbox.</param>
    /// <param name="lastNumber">The number of the newest row; 0 for none.</param>
    /// <param name="ids">The ids, oldest first.</param>
    public SenderHistory(long mailbox, long lastNumber, IEnumerable<SentId> ids)
    {
        Mailbox = mailbox;
        _lastNumber = lastNumber;
        foreach (var (message, digest, acceptedAt) in ids)
        {
            Add(message, new Entry(digest, acceptedAt));
        }
    }

    /// <summary>The device's mailbox.</summary>
    public long Mailbox { get; }

    /// <summary>Whether a message is on its way, so that no other history of the device may be made from what is on disk.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_lock)
            {
                return _pending.Count > 0;
            }
        }
    }

    /// <summary>The number of the next row on disk. For the one writer alone.</summary>
    public long NextNumber() => ++_lastNumber;

    /// <summary>Takes a message up, unless its id was used before.</summary>
    /// <param name="send">The message.</param>
    /// <param name="isNew">Whether it is new, and must be finished.</param>
    /// <returns>
    /// The answer, when the message is a repeat of one that was answered. A repeat of one that was not is answered together with it.
    /// </returns>
    public SendResult? Start(PendingSend send, out bool isNew)
    {
        isNew = false;
        var submission = send.Submission;
        lock (_lock)
        {
            if (_pending.TryGetValue(submission.Message, out var pending))
            {
                if (pending.Submission.Digest != submission.Digest)
                {
                    return SendResult.Refused(SendStatus.MessageIdReused);
                }

                pending.AddRepeat(send);
                return null;
            }

            if (_entries.TryGetValue(submission.Message, out var entry) && send.AcceptedAt - entry.AcceptedAt < Window)
            {
                return entry.Digest == submission.Digest
                    ? SendResult.Accepted(entry.AcceptedAt)
                    : SendResult.Refused(SendStatus.MessageIdReused);
            }

            isNew = true;
            _pending.Add(submission.Message, send);
            return null;
        }
    }

    /// <summary>Says what became of a message; one that was not accepted is forgotten, so that it can be sent again.</summary>
    /// <returns>Repeats that came in the meantime and get the same answer.</returns>
    public IReadOnlyList<PendingSend> Finish(PendingSend send, bool isAccepted)
    {
        var message = send.Submission.Message;
        lock (_lock)
        {
            _pending.Remove(message);
            if (isAccepted)
            {
                Add(message, new Entry(send.Submission.Digest, send.AcceptedAt));
            }

            return send.TakeRepeats();
        }
    }

    private void Add(MessageId message, Entry entry)
    {
        if (!_entries.TryAdd(message, entry))
        {
            // Its time was over; its place in the order is the older one.
            _entries[message] = entry;
            return;
        }

        _order.Enqueue(message);
        if (_order.Count > Remembered)
        {
            _entries.Remove(_order.Dequeue());
        }
    }

    private readonly record struct Entry(ulong Digest, DateTimeOffset AcceptedAt);
}
