namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// One device's mailbox as this process knows it: its numbering, what is not settled yet, how full it is, and down which connection
/// it flows. What is settled is on disk alone. Every method takes the mailbox's own lock, which is never held over I/O.
/// </summary>
internal sealed class Mailbox
{
    // One write for so many messages; a restart skips at most so many numbers.
    private const int ReservedAtOnce = 1 << 16;

    private readonly Lock _lock = new();
    private readonly CommitQueue _queue;
    private readonly PushGrace _grace;
    private readonly IWakeBus _bus;
    private readonly UnsettledEnvelopes _unsettled = new();
    private long _last;
    private long _reserved;
    private long _queued;
    private bool _isReserving;
    private bool _isInGrace;
    private int _count;
    private long _bytes;
    private int _stored;
    private long _newestStored;
    private int _deleting;
    private int _commits;
    private int _connections;
    private bool _isClosed;
    private bool _isRetired;
    private DeviceConnection? _receiver;
    private SenderHistory? _history;

    /// <summary>Takes up what is on disk.</summary>
    public Mailbox(MailboxState state, CommitQueue queue, PushGrace grace, IWakeBus bus)
    {
        Id = state.Id;
        Device = state.Device;
        _queue = queue;
        _grace = grace;
        _bus = bus;
        _last = _reserved = _newestStored = state.ReservedThrough;
        _count = _stored = state.Count;
        _bytes = state.Bytes;
    }

    public long Id { get; }

    public DeviceAddress Device { get; }

    /// <summary>The connection that the mailbox flows down; null when its device is not here.</summary>
    public DeviceConnection? Receiver => Volatile.Read(ref _receiver);

    /// <summary>What the device has sent; null before it is loaded.</summary>
    public SenderHistory? History => Volatile.Read(ref _history);

    /// <summary>Takes up what the device has sent. The first call decides.</summary>
    public SenderHistory Remember(SenderHistory history) => Interlocked.CompareExchange(ref _history, history, null) ?? history;

    /// <summary>Keeps room for an envelope.</summary>
    /// <returns>Full when it does not fit; closed when the mailbox is not in use any more and must be looked for again.</returns>
    public RoomResult TakeRoom(int length, MailboxOptions limits)
    {
        lock (_lock)
        {
            if (_isClosed || _isRetired)
            {
                return RoomResult.Closed;
            }

            if (_count >= limits.MaxMessages || _bytes + length > limits.MaxBytes)
            {
                return RoomResult.Full;
            }

            _count++;
            _bytes += length;
            return RoomResult.Taken;
        }
    }

    /// <summary>Gives room back that was kept and not used.</summary>
    public void GiveBackRoom(int length)
    {
        lock (_lock)
        {
            Free(1, length);
        }
    }

    /// <summary>
    /// Takes an envelope for which room was kept: pushes it at once if its device is waiting for it, and stores it otherwise.
    /// </summary>
    public void Append(MailboxEnvelope envelope)
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                // The device was removed just now, and its mail with it.
                envelope.State = EnvelopeState.Settled;
                envelope.Send.SettleUnwritten();
                return;
            }

            envelope.Number(++_last);
            _unsettled.Add(envelope);
            ReserveMore();

            // A number that is not reserved could be given again after a crash, so what bears it waits for the disk.
            if (_receiver is { Credit: > 0 } receiver && receiver.Position == _last - 1 && _last <= _reserved
                && TryPush(receiver, envelope.Envelope))
            {
                envelope.PushedAt = _grace.Now;
                if (!_isInGrace)
                {
                    _isInGrace = true;
                    _grace.Add(this, envelope.PushedAt);
                }
            }
            else
            {
                Store(_last);
            }
        }
    }

    /// <summary>Pushes an envelope that is never stored, if the device takes one more message now.</summary>
    public void PushEphemeral(StoredEnvelope envelope)
    {
        lock (_lock)
        {
            if (_receiver is { Credit: > 0 } receiver && receiver.TryPush(envelope))
            {
                receiver.Credit--;
            }
        }
    }

    /// <summary>Settles what the device has stored for itself.</summary>
    /// <returns>What is left to delete on disk; null when nothing is.</returns>
    public AcknowledgeWrite? Acknowledge(MailboxRange[] ranges)
    {
        lock (_lock)
        {
            var isStored = false;
            var unwritten = 0;
            foreach (var (first, last) in ranges)
            {
                for (var sequence = Math.Max(first, _unsettled.First); sequence <= last && sequence < _unsettled.End; sequence++)
                {
                    if (_unsettled.Find(sequence) is { } envelope)
                    {
                        // What is in a transaction now is deleted after it, and the device is answered only then.
                        isStored |= envelope.State >= EnvelopeState.Committing;
                        unwritten += envelope.State < EnvelopeState.Committing ? 1 : 0;
                        _grace.Counts.Acknowledge(envelope.State);
                        Acknowledge(envelope);
                    }
                }

                isStored |= first <= _newestStored;
            }

            _queue.Totals.AddDelivered(unwritten);
            return isStored ? Delete(ranges) : null;
        }
    }

    /// <summary>The number of the newest envelope that is not settled; 0 when there is none. <paramref name="isStored"/> tells whether the store has some too.</summary>
    public long NewestUnsettled(out bool isStored)
    {
        lock (_lock)
        {
            isStored = _stored > 0;
            for (var sequence = _unsettled.End - 1; sequence >= _unsettled.First; sequence--)
            {
                if (_unsettled.Find(sequence) is { State: not EnvelopeState.AcknowledgedInCommit })
                {
                    return sequence;
                }
            }

            return 0;
        }
    }

    /// <summary>A connection of the device uses the mailbox, which stays in memory until it has left.</summary>
    /// <returns>False when the mailbox is not in use any more and must be looked for again.</returns>
    public bool TryEnter()
    {
        lock (_lock)
        {
            if (_isClosed || _isRetired)
            {
                return false;
            }

            _connections++;
            return true;
        }
    }

    /// <summary>A connection of the device has ended; what was pushed to it and not acknowledged is stored.</summary>
    public void Leave(DeviceConnection connection)
    {
        lock (_lock)
        {
            _connections--;
            if (_receiver == connection)
            {
                Volatile.Write(ref _receiver, null);
                Store(_last);
            }
        }
    }

    /// <summary>Makes a connection the one that the mailbox flows down.</summary>
    /// <returns>The one before.</returns>
    public DeviceConnection? Attach(DeviceConnection connection)
    {
        lock (_lock)
        {
            var before = _receiver;
            Volatile.Write(ref _receiver, connection);
            Store(_last);
            ReserveMore();
            return before;
        }
    }

    /// <summary>Adds credit of the receiving connection.</summary>
    /// <returns>Whether there may be something to push that is not pushed yet.</returns>
    public bool Grant(DeviceConnection connection, uint messages)
    {
        lock (_lock)
        {
            connection.Credit = (int)Math.Min(DeviceConnection.MaxCredit, connection.Credit + (long)messages);
            return _receiver == connection && connection.Position < _last;
        }
    }

    /// <summary>Where the receiving connection's next look into the store starts, and how many it may take.</summary>
    /// <returns>False when it takes none, or has all.</returns>
    public bool TryLook(DeviceConnection connection, out StoreLook look)
    {
        lock (_lock)
        {
            look = new StoreLook(connection.Position, connection.Credit, _commits);
            return _receiver == connection && connection.Credit > 0 && connection.Position < _last;
        }
    }

    /// <summary>Pushes an envelope that was read from the store.</summary>
    public PushResult Push(DeviceConnection connection, StoredEnvelope envelope)
    {
        lock (_lock)
        {
            if (_receiver != connection || connection.Credit == 0)
            {
                return PushResult.Stop;
            }

            if (envelope.Sequence <= connection.Position)
            {
                return PushResult.Done;
            }

            return TryPush(connection, envelope) ? PushResult.Done : PushResult.NoRoom;
        }
    }

    /// <summary>
    /// Called when a look into the store found nothing: what is left is not stored yet, and is pushed from here as far as
    /// credit goes. From then on new envelopes are pushed as they come.
    /// </summary>
    /// <returns>Done when the store got more since the look, and must be looked into again.</returns>
    public PushResult PushUnsettled(DeviceConnection connection, StoreLook look)
    {
        lock (_lock)
        {
            if (_receiver != connection)
            {
                return PushResult.Stop;
            }

            if (_commits != look.Commits)
            {
                return PushResult.Done;
            }

            for (var sequence = Math.Max(connection.Position + 1, _unsettled.First); sequence < _unsettled.End; sequence++)
            {
                if (_unsettled.Find(sequence) is not { State: not EnvelopeState.AcknowledgedInCommit } envelope)
                {
                    continue;
                }

                if (sequence > _reserved || connection.Credit == 0)
                {
                    // Its commit, or the next credit, looks again.
                    return PushResult.Stop;
                }

                if (!TryPush(connection, envelope.Envelope))
                {
                    return PushResult.NoRoom;
                }
            }

            connection.Position = _last;
            return PushResult.Stop;
        }
    }

    /// <summary>Stores the envelopes that the device did not acknowledge in time.</summary>
    public void StoreOverdue()
    {
        lock (_lock)
        {
            _isInGrace = false;
            for (var sequence = Math.Max(_unsettled.First, _queued + 1); sequence < _unsettled.End; sequence++)
            {
                if (_unsettled.Find(sequence) is not { State: EnvelopeState.Pushed } envelope)
                {
                    continue;
                }

                if (!_grace.IsOver(envelope.PushedAt))
                {
                    _isInGrace = true;
                    _grace.Add(this, envelope.PushedAt);
                    return;
                }

                Store(sequence);
            }
        }
    }

    /// <summary>For the one writer: an envelope goes into its transaction, unless it was settled in the meantime.</summary>
    public bool TryBeginCommit(MailboxEnvelope envelope, CommitBatch batch)
    {
        lock (_lock)
        {
            if (envelope.State != EnvelopeState.Queued)
            {
                return false;
            }

            envelope.State = EnvelopeState.Committing;
            if (envelope.Sequence > _reserved)
            {
                batch.Reserve(this, envelope.Sequence + ReservedAtOnce);
            }
        }

        envelope.Send.RememberIn(batch);
        return true;
    }

    /// <summary>For the one writer: an envelope is on disk, or could not be written.</summary>
    public void EndCommit(MailboxEnvelope envelope, bool isCommitted)
    {
        bool isWaitedFor;
        lock (_lock)
        {
            if (envelope.State == EnvelopeState.Settled)
            {
                // The server stops: it was in no transaction, and has been acknowledged since it was refused.
                return;
            }

            isWaitedFor = isCommitted && (_receiver is null || _receiver.Position < envelope.Sequence);
            var isAcknowledged = envelope.State == EnvelopeState.AcknowledgedInCommit;
            envelope.State = EnvelopeState.Settled;
            _unsettled.Remove(envelope);
            if (isCommitted)
            {
                _stored++;
                _commits++;
                _newestStored = Math.Max(_newestStored, envelope.Sequence);
            }
            else
            {
                Free(1, envelope.Length);
            }

            if (!isAcknowledged)
            {
                envelope.Send.Settle(isCommitted);
            }
        }

        if (isWaitedFor)
        {
            _bus.Publish(WakeHint.MailWaits(Device));
        }
    }

    /// <summary>Sequence numbers are reserved on disk.</summary>
    public void EndReservation(long through, bool isCommitted)
    {
        lock (_lock)
        {
            _isReserving = false;
            if (isCommitted)
            {
                _reserved = Math.Max(_reserved, through);
            }
        }
    }

    /// <summary>Envelopes were deleted on disk.</summary>
    /// <param name="count">How many.</param>
    /// <param name="bytes">How long they were together.</param>
    public void Deleted(int count, long bytes)
    {
        lock (_lock)
        {
            _stored -= count;
            Free(count, bytes);
        }
    }

    /// <summary>A deletion is over, whether or not it was carried out.</summary>
    public void EndDelete()
    {
        lock (_lock)
        {
            _deleting--;
        }
    }

    /// <summary>How full the mailbox is, on disk and in memory together, and what of it is in memory alone.</summary>
    public MailboxFigures Measure()
    {
        lock (_lock)
        {
            var figures = new MailboxFigures(_count, _bytes, null, 0, 0, _connections > 0, _receiver?.Session, _receiver?.Credit);
            for (var sequence = _unsettled.First; sequence < _unsettled.End; sequence++)
            {
                if (_unsettled.Find(sequence) is { State: not EnvelopeState.AcknowledgedInCommit } envelope)
                {
                    figures = figures with
                    {
                        OldestUnsettledAt = figures.OldestUnsettledAt ?? envelope.Envelope.AcceptedAt,
                        OldestUnsettled = figures.OldestUnsettled == 0 ? sequence : figures.OldestUnsettled,
                        NewestUnsettled = sequence,
                    };
                }
            }

            return figures;
        }
    }

    /// <summary>
    /// Keeps the mailbox in memory, so that it is told of what is deleted on disk, until <see cref="EndDelete"/>.
    /// </summary>
    /// <param name="last">The last number that was given: what comes later is not to be discarded.</param>
    /// <returns>False when the mailbox is not in use any more and must be looked for again.</returns>
    public bool TryBeginDiscard(out long last)
    {
        lock (_lock)
        {
            last = _last;
            if (_isClosed || _isRetired)
            {
                return false;
            }

            _deleting++;
            return true;
        }
    }

    /// <summary>
    /// Settles what is in no transaction yet, as if the device had acknowledged it. What is in one now is on disk after it, and is
    /// left to a <see cref="DiscardWrite"/> that is queued after this.
    /// </summary>
    /// <param name="through">Envelopes with higher numbers stay.</param>
    /// <param name="acceptedBefore">Envelopes that were accepted at this time or later stay.</param>
    /// <returns>How many were settled.</returns>
    public int DiscardUnsettled(long through, DateTimeOffset acceptedBefore)
    {
        lock (_lock)
        {
            var count = 0;
            for (var sequence = _unsettled.First; sequence <= through && sequence < _unsettled.End; sequence++)
            {
                if (_unsettled.Find(sequence) is { State: EnvelopeState.Pushed or EnvelopeState.Queued } envelope
                    && envelope.Envelope.AcceptedAt < acceptedBefore)
                {
                    count++;
                    Acknowledge(envelope);
                }
            }

            return count;
        }
    }

    /// <summary>Takes the mailbox out of use for good: its device was removed. What is under way counts as settled.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            for (var sequence = _unsettled.First; sequence < _unsettled.End; sequence++)
            {
                if (_unsettled.Find(sequence) is { } envelope)
                {
                    Acknowledge(envelope);
                }
            }
        }
    }

    /// <summary>Takes the mailbox out of use, if nothing of it is in memory alone; it can be loaded again then.</summary>
    public bool TryRetire()
    {
        lock (_lock)
        {
            return _isRetired = _connections == 0 && _unsettled.IsEmpty && _deleting == 0 && !_isReserving && _stored == _count
                && _history is not { IsBusy: true };
        }
    }

    /// <summary>Takes the mailbox into use again: it has not left memory after all.</summary>
    public void ComeBack()
    {
        lock (_lock)
        {
            _isRetired = false;
        }
    }

    private void Acknowledge(MailboxEnvelope envelope)
    {
        switch (envelope.State)
        {
            case EnvelopeState.Pushed or EnvelopeState.Queued:
                envelope.State = EnvelopeState.Settled;
                _unsettled.Remove(envelope);
                Free(1, envelope.Length);
                envelope.Send.SettleUnwritten();
                break;
            case EnvelopeState.Committing:
                envelope.State = EnvelopeState.AcknowledgedInCommit;
                envelope.Send.Settle(isKept: true);
                break;
            default:
                break;
        }
    }

    private AcknowledgeWrite Delete(MailboxRange[] ranges)
    {
        _deleting++;
        return new AcknowledgeWrite(this, ranges);
    }

    private static bool TryPush(DeviceConnection connection, StoredEnvelope envelope)
    {
        if (!connection.TryPush(envelope))
        {
            return false;
        }

        connection.Credit--;
        connection.Position = envelope.Sequence;
        return true;
    }

    // In order, so that after a crash the disk has the oldest of what was not settled, and no gap before something newer.
    private void Store(long through)
    {
        for (var sequence = Math.Max(_unsettled.First, _queued + 1); sequence <= through && sequence < _unsettled.End; sequence++)
        {
            if (_unsettled.Find(sequence) is { State: EnvelopeState.Pushed } envelope)
            {
                envelope.State = EnvelopeState.Queued;
                _grace.Counts.Store(wasPushed: envelope.PushedAt != 0);
                _queue.Enqueue(envelope);
            }
        }

        _queued = Math.Max(_queued, through);
    }

    private void ReserveMore()
    {
        if (!_isReserving && _reserved - _last < ReservedAtOnce / 2 && (_receiver is not null || _reserved > _last))
        {
            _isReserving = true;
            _queue.Enqueue(new ReserveWrite(this, _last + ReservedAtOnce));
        }
    }

    private void Free(int count, long bytes)
    {
        _count -= count;
        _bytes -= bytes;
    }
}

/// <summary>Whether there was room for an envelope.</summary>
internal enum RoomResult
{
    Taken,
    Full,
    Closed,
}

/// <summary>What became of a push.</summary>
internal enum PushResult
{
    /// <summary>It was pushed, now or before; go on.</summary>
    Done,

    /// <summary>Nothing more is to be pushed now.</summary>
    Stop,

    /// <summary>Too much waits to be sent; wait and try again.</summary>
    NoRoom,
}

/// <summary>A look into the store.</summary>
/// <param name="After">The number to start after.</param>
/// <param name="Credit">Most envelopes to take.</param>
/// <param name="Commits">What had been committed before it.</param>
internal readonly record struct StoreLook(long After, int Credit, int Commits);
