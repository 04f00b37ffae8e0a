namespace KerberosMessaging.Protocol.Messages;

/// <summary>Asks for the active devices of the signed-in client.</summary>
public sealed record ListDevicesRequest : IWireMessage<ListDevicesRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ListDevices;

    /// <inheritdoc />
    public static ListDevicesRequest Read(ref WireReader reader) => new();

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
    }
}

/// <summary>The client's own active devices.</summary>
/// <param name="Devices">In no particular order.</param>
public sealed record OwnDevices(IReadOnlyList<OwnDevice> Devices) : IWireMessage<OwnDevices>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.OwnDevices;

    /// <inheritdoc />
    public static OwnDevices Read(ref WireReader reader)
    {
        var devices = new OwnDevice[reader.ReadCount(ProtocolLimits.DevicesPerClient, OwnDevice.MinimumSize)];
        for (var i = 0; i < devices.Length; i++)
        {
            devices[i] = OwnDevice.Read(ref reader);
        }

        return new OwnDevices(devices);
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteCount(Devices.Count);
        foreach (var device in Devices)
        {
            device.Write(writer);
        }
    }
}

/// <summary>One of the client's own devices.</summary>
/// <param name="Device">Its id.</param>
/// <param name="Name">A name for people.</param>
/// <param name="Serial">Serial number of its certificate.</param>
/// <param name="AddedAt">When it first logged in.</param>
/// <param name="LastSeenAt">When the auth server last heard of it.</param>
public sealed record OwnDevice(DeviceId Device, string Name, ulong Serial, DateTimeOffset AddedAt, DateTimeOffset LastSeenAt)
{
    internal const int MinimumSize = 16 + 2 + 8 + 8 + 8;

    /// <summary>Reads one entry.</summary>
    public static OwnDevice Read(ref WireReader reader) => new(
        new DeviceId(reader.ReadId()),
        reader.ReadText(ProtocolLimits.NameBytes),
        reader.ReadU64(),
        reader.ReadTime(),
        reader.ReadTime());

    /// <summary>Writes one entry.</summary>
    public void Write(WireWriter writer)
    {
        writer.WriteId(Device.Value);
        writer.WriteText(Name);
        writer.WriteU64(Serial);
        writer.WriteTime(AddedAt);
        writer.WriteTime(LastSeenAt);
    }
}

/// <summary>Gives one of the client's own devices another name.</summary>
/// <param name="Device">The device.</param>
/// <param name="Name">A name for people; not empty.</param>
public sealed record RenameDeviceRequest(DeviceId Device, string Name) : IWireMessage<RenameDeviceRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.RenameDevice;

    /// <inheritdoc />
    public static RenameDeviceRequest Read(ref WireReader reader)
    {
        var request = new RenameDeviceRequest(new DeviceId(reader.ReadId()), reader.ReadText(ProtocolLimits.NameBytes));
        return request.Name.Length > 0
            ? request
            : throw new ProtocolException(ProtocolError.Malformed, "The new name of a device is empty.");
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteId(Device.Value);
        writer.WriteText(Name);
    }
}

/// <summary>Revokes one of the client's own devices and ends its sessions.</summary>
/// <param name="Device">The device; it may be the one that asks.</param>
public sealed record RemoveDeviceRequest(DeviceId Device) : IWireMessage<RemoveDeviceRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.RemoveDevice;

    /// <inheritdoc />
    public static RemoveDeviceRequest Read(ref WireReader reader) => new(new DeviceId(reader.ReadId()));

    /// <inheritdoc />
    public void Write(WireWriter writer) => writer.WriteId(Device.Value);
}

/// <summary>Stores the link of one of the client's own devices, in place of an earlier one.</summary>
/// <param name="Device">The device; it may be the one that asks.</param>
/// <param name="Link">The account key's statement, <see cref="ProtocolLimits.DeviceLinkBytes"/> bytes.</param>
public sealed record LinkDeviceRequest(DeviceId Device, byte[] Link) : IWireMessage<LinkDeviceRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.LinkDevice;

    /// <inheritdoc />
    public static LinkDeviceRequest Read(ref WireReader reader) =>
        new(new DeviceId(reader.ReadId()), reader.ReadFixed(ProtocolLimits.DeviceLinkBytes));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteId(Device.Value);
        writer.WriteFixed(Link, ProtocolLimits.DeviceLinkBytes);
    }
}
