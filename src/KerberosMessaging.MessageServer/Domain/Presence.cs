using System.Collections.Concurrent;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Down which connection each device's mail flows. That is one at most: a newer one takes the place of the older.</summary>
internal sealed class Presence
{
    private readonly ConcurrentDictionary<DeviceAddress, DeviceConnection> _connections = new();

    /// <summary>The device's connection, if it has one.</summary>
    public DeviceConnection? Find(DeviceAddress device) => _connections.GetValueOrDefault(device);

    /// <summary>Makes a connection the device's one, if it never was, and ends the one before.</summary>
    public void Claim(DeviceConnection connection)
    {
        if (!connection.TryClaim())
        {
            return;
        }

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
