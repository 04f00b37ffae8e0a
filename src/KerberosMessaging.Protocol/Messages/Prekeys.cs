namespace KerberosMessaging.Protocol.Messages;

/// <summary>
/// Publishes prekeys of the device that this channel belongs to. A repeat changes nothing: what was dropped is gone, and ids
/// that were uploaded before are passed over, whether their keys were handed out or not.
/// </summary>
/// <param name="Bundle">The signed bundle, opaque to the server, which replaces the one before; empty leaves that as it is.</param>
/// <param name="DropBelow">One-time prekeys with lower ids, of both kinds, are deleted first; 0 for none.</param>
/// <param name="OneTimePrekeys">One-time prekeys to add, at most 200. Ids of a kind rise and are not below <paramref name="DropBelow"/>.</param>
public sealed record UploadPrekeysRequest(
    byte[] Bundle,
    uint DropBelow,
    IReadOnlyList<OneTimePrekey> OneTimePrekeys) : IWireMessage<UploadPrekeysRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.UploadPrekeys;

    /// <inheritdoc />
    public static UploadPrekeysRequest Read(ref WireReader reader)
    {
        var request = new UploadPrekeysRequest(
            reader.ReadBytes16(ProtocolLimits.PrekeyBundleBytes),
            reader.ReadU32(),
            OneTimePrekeyList.Read(ref reader, ProtocolLimits.OneTimePrekeysPerUpload));
        return request.OneTimePrekeys.All(key => key.Id >= request.DropBelow)
            ? request
            : throw OneTimePrekeyList.Malformed("A one-time prekey would be dropped by its own upload.");
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteBytes16(Bundle);
        writer.WriteU32(DropBelow);
        OneTimePrekeyList.Write(writer, OneTimePrekeys);
    }
}

/// <summary>Asks what the server has of one's own one-time prekeys.</summary>
public sealed record PrekeyStatusRequest : IWireMessage<PrekeyStatusRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.GetPrekeyStatus;

    /// <inheritdoc />
    public static PrekeyStatusRequest Read(ref WireReader reader) => new();

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
    }
}

/// <summary>What the server has of the device's one-time prekeys.</summary>
/// <param name="X25519">Of those of X25519.</param>
/// <param name="MlKem768">Of those of ML-KEM-768; at each of its misses the last-resort key was handed out.</param>
public sealed record PrekeyStatus(OneTimePrekeyStock X25519, OneTimePrekeyStock MlKem768) : IWireMessage<PrekeyStatus>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.PrekeyStatus;

    /// <inheritdoc />
    public static PrekeyStatus Read(ref WireReader reader) =>
        new(OneTimePrekeyStock.Read(ref reader), OneTimePrekeyStock.Read(ref reader));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        X25519.Write(writer);
        MlKem768.Write(writer);
    }
}

/// <summary>Push to a device: somebody fetched its prekeys, and few of its one-time prekeys are left.</summary>
/// <param name="X25519">What is left of those of X25519.</param>
/// <param name="MlKem768">What is left of those of ML-KEM-768.</param>
public sealed record PrekeysLow(OneTimePrekeyStock X25519, OneTimePrekeyStock MlKem768) : IWireMessage<PrekeysLow>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.PrekeysLow;

    /// <inheritdoc />
    public static PrekeysLow Read(ref WireReader reader) =>
        new(OneTimePrekeyStock.Read(ref reader), OneTimePrekeyStock.Read(ref reader));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        X25519.Write(writer);
        MlKem768.Write(writer);
    }
}

/// <summary>Fetches prekeys of a client's devices, and takes one-time prekeys of each.</summary>
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

/// <summary>The prekeys of those asked devices that have published a bundle.</summary>
/// <param name="Bundles">One entry a device.</param>
public sealed record PrekeysReply(IReadOnlyList<DevicePrekeyBundle> Bundles) : IWireMessage<PrekeysReply>
{
    // At most one of each kind.
    private const int OneTimePrekeysPerDevice = 2;

    /// <inheritdoc />
    public static MessageCode Code => MessageCode.Prekeys;

    /// <inheritdoc />
    public static PrekeysReply Read(ref WireReader reader)
    {
        var bundles = new DevicePrekeyBundle[reader.ReadCount(ProtocolLimits.DevicesPerClient, 20)];
        for (var i = 0; i < bundles.Length; i++)
        {
            bundles[i] = new DevicePrekeyBundle(
                new DeviceId(reader.ReadId()),
                reader.ReadBytes16(ProtocolLimits.PrekeyBundleBytes),
                OneTimePrekeyList.Read(ref reader, OneTimePrekeysPerDevice));
            if (bundles[i].OneTimePrekeys is [var first, var second] && first.Kind == second.Kind)
            {
                throw OneTimePrekeyList.Malformed("A device has two one-time prekeys of a kind.");
            }
        }

        return new PrekeysReply(bundles);
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteCount(Bundles.Count);
        foreach (var (device, bundle, oneTimePrekeys) in Bundles)
        {
            writer.WriteId(device.Value);
            writer.WriteBytes16(bundle);
            OneTimePrekeyList.Write(writer, oneTimePrekeys);
        }
    }
}

/// <summary>A device and its prekeys.</summary>
/// <param name="Device">The device.</param>
/// <param name="Bundle">Its signed bundle.</param>
/// <param name="OneTimePrekeys">At most one of each kind, which nobody else gets; a kind of which none was left is missing.</param>
public sealed record DevicePrekeyBundle(DeviceId Device, byte[] Bundle, IReadOnlyList<OneTimePrekey> OneTimePrekeys);
