namespace KerberosMessaging.Protocol.Messages;

/// <summary>Asks for the message servers of the realm.</summary>
public sealed record ListServersRequest : IWireMessage<ListServersRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ListServers;

    /// <inheritdoc />
    public static ListServersRequest Read(ref WireReader reader) => new();

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
    }
}

/// <summary>The active message servers.</summary>
/// <param name="Servers">In no particular order.</param>
public sealed record ServerList(IReadOnlyList<ServerEntry> Servers) : IWireMessage<ServerList>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ServerList;

    /// <inheritdoc />
    public static ServerList Read(ref WireReader reader)
    {
        var servers = new ServerEntry[reader.ReadCount(ProtocolLimits.ServersPerRealm, ServerEntry.MinimumSize)];
        for (var i = 0; i < servers.Length; i++)
        {
            servers[i] = ServerEntry.Read(ref reader);
        }

        return new ServerList(servers);
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteCount(Servers.Count);
        foreach (var server in Servers)
        {
            server.Write(writer);
        }
    }
}

/// <summary>One message server.</summary>
/// <param name="Server">Its id.</param>
/// <param name="Name">A name for people.</param>
/// <param name="Host">Where clients reach it.</param>
/// <param name="Port">Its TCP port.</param>
/// <param name="SigningKey">Ed25519 public key that verifies its handshakes, 32 bytes.</param>
public sealed record ServerEntry(ServerId Server, string Name, string Host, ushort Port, byte[] SigningKey)
{
    internal const int MinimumSize = 16 + 2 + 2 + 2 + 32;

    /// <summary>Reads one entry.</summary>
    public static ServerEntry Read(ref WireReader reader) => new(
        new ServerId(reader.ReadId()),
        reader.ReadText(ProtocolLimits.NameBytes),
        reader.ReadText(ProtocolLimits.HostBytes),
        reader.ReadU16(),
        reader.ReadFixed(32));

    /// <summary>Writes one entry.</summary>
    public void Write(WireWriter writer)
    {
        writer.WriteId(Server.Value);
        writer.WriteText(Name);
        writer.WriteText(Host);
        writer.WriteU16(Port);
        writer.WriteFixed(SigningKey, 32);
    }
}
