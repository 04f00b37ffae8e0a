using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Mailboxes with envelopes that were pushed before they are written. Most are acknowledged within a moment and never touch the
/// disk; those that are not are stored when the moment is over. It holds mailboxes and no envelopes, so that what is acknowledged
/// is garbage at once.
/// </summary>
internal sealed class PushGrace : IDisposable
{
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);

    private readonly TimeProvider _time;
    private readonly TimeSpan _grace;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly Lock _storing = new();
    private readonly Queue<(Mailbox Mailbox, long Since)> _waiting = [];
    private readonly List<Mailbox> _due = [];
    private bool _isArmed;
    private bool _isFlushing;

    public PushGrace(IOptions<MailboxOptions> options, TimeProvider time, MessageCounts? counts = null)
    {
        Counts = counts ?? new MessageCounts();
        _time = time;
        _grace = TimeSpan.FromMilliseconds(options.Value.PushGraceMilliseconds);
        _timer = time.CreateTimer(static state => ((PushGrace)state!).Store(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Is told what became of envelopes.</summary>
    public MessageCounts Counts { get; }

    /// <summary>The clock by which moments are counted.</summary>
    public long Now => _time.GetTimestamp();

    /// <summary>Whether an envelope that was pushed then has had its moment.</summary>
    public bool IsOver(long pushedAt) => Volatile.Read(ref _isFlushing) || _time.GetElapsedTime(pushedAt) >= _grace;

    /// <summary>Lets a mailbox be looked at when the moment of its oldest pushed envelope is over.</summary>
    /// <param name="mailbox">The mailbox.</param>
    /// <param name="since">When that envelope was pushed.</param>
    public void Add(Mailbox mailbox, long since)
    {
        lock (_lock)
        {
            _waiting.Enqueue((mailbox, since));
            if (_isFlushing)
            {
                // Elsewhere: the mailbox's lock is held here.
                ThreadPool.UnsafeQueueUserWorkItem(static grace => grace.Store(), this, preferLocal: false);
            }
            else if (!_isArmed)
            {
                Arm(since);
            }
        }
    }

    /// <summary>Stores what was pushed, and from now on everything at once: the server drains.</summary>
    public void Flush()
    {
        lock (_lock)
        {
            _isFlushing = true;
        }

        Store();
    }

    /// <summary>Gives envelopes their moment again.</summary>
    public void Resume()
    {
        lock (_lock)
        {
            _isFlushing = false;
        }
    }

    public void Dispose() => _timer.Dispose();

    // One after the other: a mailbox's lock is taken within, and never the other way round.
    private void Store()
    {
        lock (_storing)
        {
            StoreDue();
        }
    }

    private void StoreDue()
    {
        lock (_lock)
        {
            while (_waiting.TryPeek(out var oldest) && IsOver(oldest.Since))
            {
                _due.Add(_waiting.Dequeue().Mailbox);
            }
        }

        // Not under the lock: mailboxes are added under their own.
        foreach (var mailbox in _due)
        {
            mailbox.StoreOverdue();
        }

        _due.Clear();
        lock (_lock)
        {
            _isArmed = false;
            if (_waiting.TryPeek(out var next))
            {
                Arm(next.Since);
            }
        }
    }

    private void Arm(long since)
    {
        _isArmed = true;
        var left = _grace - _time.GetElapsedTime(since);
        _timer.Change(left > ShortestWait ? left : ShortestWait, Timeout.InfiniteTimeSpan);
    }
}
