using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Hands out prekeys and tells their owners when few are left.</summary>
internal sealed class PrekeyService(CommitQueue queue, PrekeyFetchLimits limits, PrekeyAlerts alerts)
{
    /// <summary>Takes prekeys for a requester.</summary>
    /// <remarks>Not cancellable: the owner is told even if the requester has gone.</remarks>
    public async Task<PrekeyFetch> FetchAsync(DeviceAddress requester, ClientId client, IReadOnlyList<DeviceId> devices)
    {
        if (limits.Take(requester.Client, client) is var retryAfter && retryAfter > TimeSpan.Zero)
        {
            return new PrekeyFetch(retryAfter, default);
        }

        var taken = await queue.CommitAsync(new TakePrekeysWrite(requester, client, devices));
        if (taken.Result is not { Count: > 0 })
        {
            // Nothing was used up. Whoever writes to a client with a device that never came here asks for it each time.
            limits.Return(requester.Client, client);
        }

        foreach (var prekeys in taken.Result ?? [])
        {
            if (prekeys.Stock.IsLow)
            {
                alerts.Tell(new DeviceAddress(client, prekeys.Device), prekeys.Stock);
            }
        }

        return new PrekeyFetch(TimeSpan.Zero, taken);
    }
}
