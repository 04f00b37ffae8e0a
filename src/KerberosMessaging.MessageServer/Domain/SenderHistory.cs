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

    private const int MostPlaces = 4 * Remembered;

    private readonly Lock _lock = new();
    private readonly Dictionary<MessageId, Entry> _entries = [];
    private readonly Queue<(MessageId Message, long Place)> _order = [];
    private long _lastNumber;
    private long _lastPlace;
    private int _pending;

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
            Add(message, digest, acceptedAt, null);
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
                return _pending > 0;
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
            if (_entries.TryGetValue(submission.Message, out var entry) && send.AcceptedAt - entry.AcceptedAt < Window)
            {
                if (entry.Digest != submission.Digest)
                {
                    return SendResult.Refused(SendStatus.MessageIdReused);
                }

                if (entry.Pending is null)
                {
                    return SendResult.Accepted(entry.AcceptedAt);
                }

                entry.Pending.AddRepeat(send);
                return null;
            }

            isNew = true;
            _pending++;
            Add(submission.Message, submission.Digest, send.AcceptedAt, send);
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
            _pending--;
            if (_entries.TryGetValue(message, out var entry) && entry.Pending == send)
            {
                if (isAccepted)
                {
                    _entries[message] = entry with { Pending = null };
                }
                else
                {
                    _entries.Remove(message);
                }
            }

            return send.TakeRepeats();
        }
    }

    private void Add(MessageId message, ulong digest, DateTimeOffset acceptedAt, PendingSend? pending)
    {
        var place = ++_lastPlace;
        _entries[message] = new Entry(digest, acceptedAt, pending, place);
        _order.Enqueue((message, place));

        // A message that was refused has left an empty place behind.
        while (_entries.Count > Remembered || _order.Count > MostPlaces)
        {
            var oldest = _order.Dequeue();
            if (_entries.TryGetValue(oldest.Message, out var entry) && entry.Place == oldest.Place)
            {
                _entries.Remove(oldest.Message);
            }
        }
    }

    private readonly record struct Entry(ulong Digest, DateTimeOffset AcceptedAt, PendingSend? Pending, long Place);
}
