namespace KerberosMessaging.Protocol.Messages;

/// <summary>Looks a client up by name.</summary>
/// <param name="Name">The name, compared after normalisation.</param>
public sealed record LookUpClientRequest(string Name) : IWireMessage<LookUpClientRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.LookUpClient;

    /// <inheritdoc />
    public static LookUpClientRequest Read(ref WireReader reader) => new(reader.ReadText(ProtocolLimits.NameBytes));

    /// <inheritdoc />
    public void Write(WireWriter writer) => writer.WriteText(Name);
}

/// <summary>A client as its peers need it.</summary>
/// <param name="Client">Its id.</param>
/// <param name="Name">Its name as registered.</param>
/// <param name="HomeServer">The message server that holds its mailboxes; zero while it has none.</param>
/// <param name="Devices">Each active device.</param>
public sealed record ClientFound(ClientId Client, string Name, ServerId HomeServer, IReadOnlyList<FoundDevice> Devices)
    : IWireMessage<ClientFound>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ClientFound;

    /// <inheritdoc />
    public static ClientFound Read(ref WireReader reader)
    {
        var client = new ClientId(reader.ReadId());
        var name = reader.ReadText(ProtocolLimits.NameBytes);
        var home = new ServerId(reader.ReadId());
        var devices = new FoundDevice[reader.ReadCount(ProtocolLimits.DevicesPerClient, FoundDevice.MinimumSize)];
        for (var i = 0; i < devices.Length; i++)
        {
            devices[i] = FoundDevice.Read(ref reader);
        }

        return new ClientFound(client, name, home, devices);
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteId(Client.Value);
        writer.WriteText(Name);
        writer.WriteId(HomeServer.Value);
        writer.WriteCount(Devices.Count);
        foreach (var device in Devices)
        {
            device.Write(writer);
        }
    }
}

/// <summary>A device of a client that was looked up.</summary>
/// <param name="Certificate">The realm's statement that it is the client's.</param>
/// <param name="Link">The statement of the client's account key; empty while the device is not linked.</param>
public sealed record FoundDevice(byte[] Certificate, byte[] Link)
{
    internal const int MinimumSize = 2 + 2;

    /// <summary>Reads one entry.</summary>
    public static FoundDevice Read(ref WireReader reader) =>
        new(reader.ReadBytes16(ProtocolLimits.CertificateBytes), reader.ReadBytes16(ProtocolLimits.DeviceLinkBytes));

    /// <summary>Writes one entry.</summary>
    public void Write(WireWriter writer)
    {
        writer.WriteBytes16(Certificate);
        writer.WriteBytes16(Link);
    }
}
