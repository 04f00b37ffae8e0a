namespace KerberosMessaging.Protocol.Messages;

/// <summary>Enrols a message server.</summary>
/// <param name="Token">The one-time enrolment token.</param>
/// <param name="Name">A name for people.</param>
/// <param name="Host">The host name or address that clients are told.</param>
/// <param name="Port">The TCP port that clients are told.</param>
/// <param name="SigningKey">Ed25519 public key of the server's handshakes.</param>
/// <param name="Signature">Ed25519 by that key over the channel binding and the token: proof that the server holds it.</param>
public sealed record RegisterServerRequest(
    string Token,
    string Name,
    string Host,
    ushort Port,
    byte[] SigningKey,
    byte[] Signature) : IWireMessage<RegisterServerRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.RegisterServer;

    /// <inheritdoc />
    public static RegisterServerRequest Read(ref WireReader reader) => new(
        reader.ReadText(ProtocolLimits.TokenBytes),
        reader.ReadText(ProtocolLimits.NameBytes),
        reader.ReadText(ProtocolLimits.HostBytes),
        reader.ReadU16(),
        reader.ReadFixed(32),
        reader.ReadFixed(64));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteText(Token);
        writer.WriteText(Name);
        writer.WriteText(Host);
        writer.WriteU16(Port);
        writer.WriteFixed(SigningKey, 32);
        writer.WriteFixed(Signature, 64);
    }

    /// <summary>Name and address: never the token, which enrols whoever has it.</summary>
    public override string ToString() => $"{nameof(RegisterServerRequest)} {Name} at {Host}:{Port}";
}

/// <summary>The server is a member of the realm now. It carries secret keys: never log or store it unsealed.</summary>
/// <param name="Server">The id the realm gave it.</param>
/// <param name="Keys">What it opens and verifies service tickets with.</param>
public sealed record ServerRegistered(ServerId Server, ServerKeys Keys) : IWireMessage<ServerRegistered>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ServerRegistered;

    /// <inheritdoc />
    public static ServerRegistered Read(ref WireReader reader) => new(
        new ServerId(reader.ReadId()),
        ServerKeys.Read(ref reader));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteId(Server.Value);
        Keys.Write(writer);
    }
}
