using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// The mailboxes, on disk. Writes come in batches from one caller at a time, the <see cref="CommitQueue"/>; reads may run
/// beside them and see what is committed. Tests hold every implementation to the same contract.
/// </summary>
internal interface IMailboxStore
{
    /// <summary>
    /// Carries out writes in their order, in one transaction, and sets their results. When it returns, all of them are
    /// on disk; when it throws, none of them was carried out.
    /// </summary>
    /// <param name="writes">What to do.</param>
    /// <param name="now">When, for what is noted with a time and for what has expired.</param>
    ValueTask WriteAsync(IReadOnlyList<StoreWrite> writes, DateTimeOffset now);

    /// <summary>The mailboxes of a client; none when it is not known.</summary>
    ValueTask<IReadOnlyList<MailboxState>> FindAsync(ClientId client);

    /// <summary>Reads what is remembered of the messages that a device has sent.</summary>
    /// <param name="mailbox">The device's mailbox.</param>
    /// <returns>
    /// The number of the newest row, 0 for none; and the ids, oldest first: at least the last <see cref="SenderHistory.Remembered"/>.
    /// </returns>
    ValueTask<(long LastNumber, IReadOnlyList<SentId> Ids)> ReadSentAsync(long mailbox);

    /// <summary>Reads what waits in a mailbox, in order.</summary>
    /// <param name="mailbox">The mailbox.</param>
    /// <param name="after">The sequence number to start after; 0 for the beginning.</param>
    /// <param name="now">Envelopes that expired by then are left out.</param>
    /// <param name="maxCount">Most envelopes to return.</param>
    /// <param name="maxBytes">Stops once so many bytes are read; the first envelope is always returned.</param>
    ValueTask<IReadOnlyList<StoredEnvelope>> ReadAsync(long mailbox, long after, DateTimeOffset now, int maxCount, long maxBytes);

    /// <summary>The sequence number of the newest message that waits in a mailbox; 0 when none does.</summary>
    /// <param name="mailbox">The mailbox.</param>
    /// <param name="now">Envelopes that expired by then do not count: nobody will get them.</param>
    ValueTask<long> ReadNewestAsync(long mailbox, DateTimeOffset now);

    /// <summary>Reads what there is of a device's one-time prekeys.</summary>
    ValueTask<PrekeyStock> ReadPrekeyStockAsync(long mailbox);

    /// <summary>Lists mailboxes by client name and device.</summary>
    /// <param name="after">The place to start after; null for the beginning.</param>
    /// <param name="maxCount">Most mailboxes to return.</param>
    ValueTask<IReadOnlyList<QueueState>> ReadQueuesAsync(QueuePosition? after, int maxCount);

    /// <summary>Finds mailboxes by what identifies them: at most <see cref="QueueFilter.Most"/>.</summary>
    ValueTask<IReadOnlyList<QueueState>> FindQueuesAsync(QueueFilter filter);

    /// <summary>When the first of what waits was accepted, of each mailbox in which something waits. One that is damaged is left out.</summary>
    ValueTask<IReadOnlyList<(long Mailbox, DateTimeOffset AcceptedAt)>> ReadOldestAsync();

    /// <summary>Measures as a <see cref="MeasureWrite"/> would, beside the writes.</summary>
    /// <param name="after">The mailbox to start after; 0 for the beginning.</param>
    /// <param name="limit">Stops once so many envelopes were looked at.</param>
    ValueTask<(IReadOnlyList<MeasuredMailbox> Measured, bool HasMore)> MeasureAsync(long after, int limit);

    /// <summary>How many mailboxes there are.</summary>
    ValueTask<long> CountMailboxesAsync();

    /// <summary>Lists what there is of each device's one-time prekeys, by client name and device.</summary>
    /// <param name="after">The place to start after; null for the beginning.</param>
    /// <param name="maxCount">Most devices to return.</param>
    ValueTask<IReadOnlyList<DevicePrekeyStock>> ReadPrekeyStocksAsync(QueuePosition? after, int maxCount);

    /// <summary>Finds what there is of the one-time prekeys of devices: at most <see cref="QueueFilter.Most"/>.</summary>
    ValueTask<IReadOnlyList<DevicePrekeyStock>> FindPrekeyStocksAsync(QueueFilter filter);

    /// <summary>How many bytes the store takes on the disk, without what is free inside it.</summary>
    ValueTask<long> ReadSizeAsync();
}
