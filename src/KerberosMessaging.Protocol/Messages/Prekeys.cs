namespace KerberosMessaging.Protocol.Messages;

/// <summary>Publishes the prekeys of the device that this channel belongs to.</summary>
/// <param name="Bundle">The signed bundle, opaque to the server.</param>
public sealed record UploadPrekeysRequest(byte[] Bundle) : IWireMessage<UploadPrekeysRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.UploadPrekeys;

    /// <inheritdoc />
    public static UploadPrekeysRequest Read(ref WireReader reader) =>
        new(reader.ReadBytes16(ProtocolLimits.PrekeyBundleBytes));

    /// <inheritdoc />
    public void Write(WireWriter writer) => writer.WriteBytes16(Bundle);
}

/// <summary>Fetches prekeys of a client's devices.</summary>
/// <param name="Client">The client.</param>
/// <param name="Devices">Which devices.</param>
public sealed record FetchPrekeysRequest(ClientId Client, IReadOnlyList<DeviceId> Devices) : IWireMessage<FetchPrekeysRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.FetchPrekeys;

    /// <inheritdoc />
    public static FetchPrekeysRequest Read(ref WireReader reader) =>
        new(new ClientId(reader.ReadId()), DeviceList.Read(ref reader));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteId(Client.Value);
        DeviceList.Write(writer, Devices);
    }
}

/// <summary>The bundles of those asked devices that have published one.</summary>
/// <param name="Bundles">One entry a device.</param>
public sealed record PrekeysReply(IReadOnlyList<DevicePrekeyBundle> Bundles) : IWireMessage<PrekeysReply>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.Prekeys;

    /// <inheritdoc />
    public static PrekeysReply Read(ref WireReader reader)
    {
        var bundles = new DevicePrekeyBundle[reader.ReadCount(ProtocolLimits.DevicesPerClient, 18)];
        for (var i = 0; i < bundles.Length; i++)
        {
            bundles[i] = new DevicePrekeyBundle(
                new DeviceId(reader.ReadId()),
                reader.ReadBytes16(ProtocolLimits.PrekeyBundleBytes));
        }

        return new PrekeysReply(bundles);
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteCount(Bundles.Count);
        foreach (var (device, bundle) in Bundles)
        {
            writer.WriteId(device.Value);
            writer.WriteBytes16(bundle);
        }
    }
}

/// <summary>A device and its bundle.</summary>
/// <param name="Device">The device.</param>
/// <param name="Bundle">Its signed bundle.</param>
public sealed record DevicePrekeyBundle(DeviceId Device, byte[] Bundle);
