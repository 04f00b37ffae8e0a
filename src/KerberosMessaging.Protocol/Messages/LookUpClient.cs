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
/// <param name="Certificates">The certificate of each active device.</param>
public sealed record ClientFound(ClientId Client, string Name, ServerId HomeServer, IReadOnlyList<byte[]> Certificates)
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
        var certificates = new byte[reader.ReadCount(ProtocolLimits.DevicesPerClient, 2)][];
        for (var i = 0; i < certificates.Length; i++)
        {
            certificates[i] = reader.ReadBytes16(ProtocolLimits.CertificateBytes);
        }

        return new ClientFound(client, name, home, certificates);
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteId(Client.Value);
        writer.WriteText(Name);
        writer.WriteId(HomeServer.Value);
        writer.WriteCount(Certificates.Count);
        foreach (var certificate in Certificates)
        {
            writer.WriteBytes16(certificate);
        }
    }
}
