using KerberosMessaging.Hosting.Health;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Asks the store for a write in the order of all writes.</summary>
internal sealed class StoreProbe(CommitQueue queue) : IDatabaseProbe
{
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        if (!(await queue.CommitAsync(new ProbeWrite()).WaitAsync(cancellationToken)).IsDone)
        {
            throw new IOException("The store takes no writes.");
        }
    }
}
