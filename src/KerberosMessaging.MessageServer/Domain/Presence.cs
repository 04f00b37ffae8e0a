using System.Collections.Concurrent;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Which connection each device has. A device has one at most: a newer one takes the place of the older.</summary>
internal sealed class Presence
{
    private readonly ConcurrentDictionary<DeviceAddress, DeviceConnection> _connections = new();

    /// <summary>The device's connection, if it has one.</summary>
    public DeviceConnection? Find(DeviceAddress device) => _connections.GetValueOrDefault(device);

    /// <summary>Makes a connection the device's one, and ends the one before.</summary>
    public void Claim(DeviceConnection connection)
    {
        DeviceConnection? before;
        do
        {
            before = Find(connection.Device);
        }
        while (before is null
            ? !_connections.TryAdd(connection.Device, connection)
            : !_connections.TryUpdate(connection.Device, connection, before));

        before?.TakeOver();
    }

    /// <summary>Forgets a connection, unless another has taken its place.</summary>
    public void Release(DeviceConnection connection) =>
        _connections.TryRemove(KeyValuePair.Create(connection.Device, connection));
}
