namespace KerberosMessaging.MessageServer.Domain;

/// <summary>The writes of one transaction, in their order, and what goes with them.</summary>
internal sealed class CommitBatch
{
    private readonly List<StoreWrite> _writes = [];
    private readonly Dictionary<Mailbox, ReserveWrite> _reservations = [];
    private readonly Dictionary<SenderHistory, RememberWrite> _remembered = [];

    /// <summary>The writes.</summary>
    public IReadOnlyList<StoreWrite> Writes => _writes;

    /// <summary>Adds a write, if it is still needed.</summary>
    public void Add(StoreWrite write)
    {
        if (write.Prepare(this))
        {
            _writes.Add(write);
        }
    }

    /// <summary>Reserves sequence numbers for a mailbox in this transaction.</summary>
    /// <param name="mailbox">The mailbox.</param>
    /// <param name="through">The last number that is reserved.</param>
    public void Reserve(Mailbox mailbox, long through)
    {
        if (_reservations.TryGetValue(mailbox, out var reservation))
        {
            reservation.Through = Math.Max(reservation.Through, through);
            return;
        }

        reservation = new ReserveWrite(mailbox, through);
        _reservations.Add(mailbox, reservation);
        _writes.Add(reservation);
    }

    /// <summary>Remembers a message id in this transaction, with the others of its sender in one row.</summary>
    public void Remember(SenderHistory history, SentId sent)
    {
        if (!_remembered.TryGetValue(history, out var remembered))
        {
            remembered = new RememberWrite(history.Mailbox, history.NextNumber());
            _remembered.Add(history, remembered);
            _writes.Add(remembered);
        }

        remembered.Ids.Add(sent);
    }

    /// <summary>Tells all writes whether they are on disk, and empties the batch.</summary>
    public void Complete(bool isCommitted)
    {
        foreach (var write in _writes)
        {
            write.Complete(isCommitted);
        }

        _writes.Clear();
        _reservations.Clear();
        _remembered.Clear();
    }
}
