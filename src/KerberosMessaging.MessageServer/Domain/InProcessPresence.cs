using System.Collections.Concurrent;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Presence where this process is the only node.</summary>
internal sealed class InProcessPresence : IPresence
{
    private readonly ConcurrentDictionary<DeviceAddress, long> _claims = new();
    private long _lastEpoch;

    public ValueTask<long> ClaimAsync(DeviceAddress device)
    {
        // One counter for all devices: an epoch is higher than all before without remembering devices that are away.
        var epoch = Interlocked.Increment(ref _lastEpoch);
        _claims.AddOrUpdate(device, epoch, (_, held) => Math.Max(held, epoch));
        return new(epoch);
    }

    public void Release(DeviceAddress device, long epoch) => _claims.TryRemove(KeyValuePair.Create(device, epoch));

    public ValueTask<long> FindAsync(DeviceAddress device) => new(_claims.GetValueOrDefault(device));
}
