namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Deletes some of what an admin does not want to be delivered any more, the oldest first. The result is how many were deleted, and
/// how long they were together.
/// </summary>
/// <param name="mailbox">The mailbox, which stays in memory meanwhile: see <see cref="Mailbox.TryBeginDiscard"/>.</param>
/// <param name="through">Envelopes with higher numbers stay.</param>
/// <param name="acceptedBefore">Envelopes that were accepted at this time or later stay.</param>
/// <param name="limit">Most envelopes to delete.</param>
internal sealed class DiscardWrite(Mailbox mailbox, long through, DateTimeOffset acceptedBefore, int limit) : StoreWrite<Deleted>
{
    public long Mailbox => mailbox.Id;

    public long Through => through;

    public DateTimeOffset AcceptedBefore => acceptedBefore;

    public int Limit => limit;

    /// <summary>Whether there may be more: so many were deleted as were allowed.</summary>
    public bool HasMore => Result.Count == limit;

    public override void Complete(bool isCommitted)
    {
        if (isCommitted)
        {
            mailbox.Deleted(Result.Count, Result.Bytes);
        }

        base.Complete(isCommitted);
    }
}
