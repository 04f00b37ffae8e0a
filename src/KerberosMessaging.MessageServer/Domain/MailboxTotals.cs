using System.Runtime.InteropServices;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// What waits on disk, in all and in each mailbox, counted along with the commits: nobody who asks reads a mailbox for it. After a start the
/// mailboxes are measured in steps (<see cref="MailboxMeasurer"/>), by rising numbers; a write to one that was not measured yet is in its measure.
/// </summary>
internal sealed class MailboxTotals
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, MailboxTotal> _mailboxes = [];
    private long _measuredThrough;
    private long _count;
    private long _bytes;
    private long _delivered;

    /// <summary>Whether all mailboxes are measured. Before, there are no numbers.</summary>
    public bool IsMeasured
    {
        get
        {
            lock (_lock)
            {
                return _measuredThrough == long.MaxValue;
            }
        }
    }

    /// <summary>What waits in all; null before it is measured.</summary>
    public (long Count, long Bytes)? All
    {
        get
        {
            lock (_lock)
            {
                return _measuredThrough == long.MaxValue ? (_count, _bytes) : null;
            }
        }
    }

    /// <summary>How many messages devices have acknowledged since the start.</summary>
    public long Delivered => Interlocked.Read(ref _delivered);

    /// <summary>The mailboxes in which something waits.</summary>
    public Dictionary<long, MailboxTotal> ToDictionary()
    {
        lock (_lock)
        {
            return new Dictionary<long, MailboxTotal>(_mailboxes);
        }
    }

    /// <summary>Counts messages that were acknowledged before they were written.</summary>
    public void AddDelivered(int count) => Interlocked.Add(ref _delivered, count);

    /// <summary>For the one writer: takes over what was committed.</summary>
    public void Apply(IReadOnlyList<StoreWrite> writes)
    {
        lock (_lock)
        {
            for (var i = 0; i < writes.Count; i++)
            {
                Apply(writes[i]);
            }
        }
    }

    private void Apply(StoreWrite write)
    {
        switch (write)
        {
            case AppendWrite append:
                Add(append.MailboxId, 1, append.Envelope.Body.Length);
                break;
            case AcknowledgeWrite { Result: var (count, bytes) } acknowledge:
                Add(acknowledge.Mailbox, -count, -bytes);
                AddDelivered(count);
                break;
            case DiscardWrite { Result: var (count, bytes) } discard:
                Add(discard.Mailbox, -count, -bytes);
                break;
            case SweepWrite sweep:
                foreach (var (mailbox, count, bytes) in sweep.Result)
                {
                    Add(mailbox, -count, -bytes);
                }

                break;
            case CloseMailboxWrite close when _mailboxes.TryGetValue(close.Mailbox, out var total):
                Add(close.Mailbox, -total.Count, -total.Bytes);
                break;
            case MeasureWrite measure:
                Take(measure);
                break;
            default:
                break;
        }
    }

    private void Take(MeasureWrite measure)
    {
        // A step whose answer got lost is asked for again.
        if (measure.After != _measuredThrough)
        {
            return;
        }

        _measuredThrough = measure.HasMore ? measure.Result[^1].Mailbox : long.MaxValue;
        foreach (var (mailbox, count, bytes) in measure.Result)
        {
            Add(mailbox, count, bytes);
        }
    }

    private void Add(long mailbox, long count, long bytes)
    {
        if (count == 0 || mailbox > _measuredThrough)
        {
            return;
        }

        ref var total = ref CollectionsMarshal.GetValueRefOrAddDefault(_mailboxes, mailbox, out _);
        total = new MailboxTotal(total.Count + count, total.Bytes + bytes);
        _count += count;
        _bytes += bytes;
        if (total.Count == 0)
        {
            _mailboxes.Remove(mailbox);
        }
    }
}

/// <summary>What waits in one mailbox.</summary>
/// <param name="Count">How many envelopes.</param>
/// <param name="Bytes">How long they are together.</param>
internal readonly record struct MailboxTotal(long Count, long Bytes);
