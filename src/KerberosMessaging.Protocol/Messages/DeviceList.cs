namespace KerberosMessaging.Protocol.Messages;

/// <summary>A list of device ids: 2-byte count, then 16 bytes each.</summary>
internal static class DeviceList
{
    public static DeviceId[] Read(ref WireReader reader)
    {
        var devices = new DeviceId[reader.ReadCount(ProtocolLimits.DevicesPerClient, 16)];
        for (var i = 0; i < devices.Length; i++)
        {
            devices[i] = new DeviceId(reader.ReadId());
        }

        return devices;
    }

    public static void Write(WireWriter writer, IReadOnlyList<DeviceId> devices)
    {
        writer.WriteCount(devices.Count);
        foreach (var device in devices)
        {
            writer.WriteId(device.Value);
        }
    }
}
