namespace KerberosMessaging.Protocol.Messages;

/// <summary>Enrols a message server.</summary>
/// <param name="Token">The one-time enrolment token.</param>
/// <param name="Name">A name for people.</param>
/// <param name="Host">The host name or address that clients are told.</param>
/// <param name="Port">The TCP port that clients are told.</param>
/// <param name="SigningKey">Ed25519 public key of the server's handshakes.</param>
public sealed record RegisterServerRequest(
    string Token,
    string Name,
    string Host,
    ushort Port,
    byte[] SigningKey) : IWireMessage<RegisterServerRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.RegisterServer;

    /// <inheritdoc />
    public static RegisterServerRequest Read(ref WireReader reader) => new(
        reader.ReadText(ProtocolLimits.TokenBytes),
        reader.ReadText(ProtocolLimits.NameBytes),
        reader.ReadText(ProtocolLimits.HostBytes),
        reader.ReadU16(),
        reader.ReadFixed(32));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteText(Token);
        writer.WriteText(Name);
        writer.WriteText(Host);
        writer.WriteU16(Port);
        writer.WriteFixed(SigningKey, 32);
    }

    /// <summary>Name and address: never the token, which enrols whoever has it.</summary>
    public override string ToString() => $"{nameof(RegisterServerRequest)} {Name} at {Host}:{Port}";
}

/// <summary>What a message server needs to accept tickets. It carries a secret key: never log or store it unsealed.</summary>
/// <param name="Server">The id the realm gave it.</param>
/// <param name="KeyVersion">Key version number of the service key.</param>
/// <param name="ServiceKey">The key under which service tickets for it are sealed.</param>
/// <param name="RealmSigningKey">Ed25519 public key that signs tickets and certificates.</param>
public sealed record ServerRegistered(
    ServerId Server,
    uint KeyVersion,
    byte[] ServiceKey,
    byte[] RealmSigningKey) : IWireMessage<ServerRegistered>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ServerRegistered;

    /// <inheritdoc />
    public static ServerRegistered Read(ref WireReader reader) => new(
        new ServerId(reader.ReadId()),
        reader.ReadU32(),
        reader.ReadFixed(32),
        reader.ReadFixed(32));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteId(Server.Value);
        writer.WriteU32(KeyVersion);
        writer.WriteFixed(ServiceKey, 32);
        writer.WriteFixed(RealmSigningKey, 32);
    }
}
