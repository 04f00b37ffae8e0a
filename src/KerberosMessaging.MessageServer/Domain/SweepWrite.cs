namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Deletes some of what nobody needs any more: expired envelopes, and message ids from before the idempotency window. The
/// result is how many rows went; as many as the limit means that there are more.
/// </summary>
/// <param name="idsBefore">Message ids accepted before this are forgotten.</param>
/// <param name="limit">Most rows of each kind to delete.</param>
internal sealed class SweepWrite(DateTimeOffset idsBefore, int limit) : StoreWrite<int>
{
    public DateTimeOffset IdsBefore => idsBefore;

    public int Limit => limit;
}
