namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Envelopes that were pushed before they are written. Most are acknowledged within a moment and never touch the disk; those that
/// are not are stored when the moment is over.
/// </summary>
internal sealed class PushGrace : IDisposable
{
    private readonly TimeProvider _time;
    private readonly TimeSpan _grace;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly Lock _storing = new();
    private readonly Queue<(MailboxEnvelope Envelope, long PushedAt)> _pushed = [];
    private readonly List<MailboxEnvelope> _due = [];
    private bool _isFlushing;

    public PushGrace(Microsoft.Extensions.Options.IOptions<MailboxOptions> options, TimeProvider time)
    {
        _time = time;
        _grace = TimeSpan.FromMilliseconds(options.Value.PushGraceMilliseconds);
        _timer = time.CreateTimer(static state => ((PushGrace)state!).Store(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Starts the moment of an envelope. Called in the order of each mailbox.</summary>
    public void Add(MailboxEnvelope envelope)
    {
        lock (_lock)
        {
            _pushed.Enqueue((envelope, _time.GetTimestamp()));
            if (_pushed.Count > 1)
            {
                return;
            }

            if (_isFlushing)
            {
                // Elsewhere: the mailbox's lock is held here.
                ThreadPool.UnsafeQueueUserWorkItem(static grace => grace.Store(), this, preferLocal: false);
            }
            else
            {
                _timer.Change(_grace, Timeout.InfiniteTimeSpan);
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
            while (_pushed.TryPeek(out var oldest)
                && (_isFlushing || oldest.Envelope.State != EnvelopeState.Pushed || IsOver(oldest.PushedAt)))
            {
                _due.Add(_pushed.Dequeue().Envelope);
            }
        }

        // Not under the lock: envelopes are added under their mailbox's.
        foreach (var envelope in _due)
        {
            envelope.Mailbox.StoreUnacknowledged(envelope);
        }

        _due.Clear();
        lock (_lock)
        {
            if (_pushed.TryPeek(out var next))
            {
                var left = _grace - _time.GetElapsedTime(next.PushedAt);
                _timer.Change(left > TimeSpan.FromMilliseconds(1) ? left : TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
            }
        }
    }

    private bool IsOver(long pushedAt) => _time.GetElapsedTime(pushedAt) >= _grace;
}
