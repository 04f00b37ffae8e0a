namespace KerberosMessaging.Protocol.Messages;

/// <summary>First frame of a connection.</summary>
/// <param name="Random">32 fresh random bytes.</param>
/// <param name="PublicKey">Ephemeral X-Wing encapsulation key, 1216 bytes.</param>
public sealed record ClientHello(byte[] Random, byte[] PublicKey) : IWireMessage<ClientHello>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ClientHello;

    /// <inheritdoc />
    public static ClientHello Read(ref WireReader reader) => new(reader.ReadFixed(32), reader.ReadFixed(1216));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteFixed(Random, 32);
        writer.WriteFixed(PublicKey, 1216);
    }
}

/// <summary>Answer to <see cref="ClientHello"/>; the signature covers both hellos.</summary>
/// <param name="Random">32 fresh random bytes.</param>
/// <param name="Ciphertext">X-Wing ciphertext, 1120 bytes.</param>
/// <param name="Session">The channel's session id, for every later header.</param>
/// <param name="Server">The server's id.</param>
/// <param name="Time">The server's clock.</param>
/// <param name="SigningKey">Ed25519 public key that verifies the signature: of the realm at the auth server, of the server at a message server.</param>
/// <param name="Signature">Ed25519 signature over the transcript hash.</param>
public sealed record ServerHello(
    byte[] Random,
    byte[] Ciphertext,
    SessionId Session,
    ServerId Server,
    DateTimeOffset Time,
    byte[] SigningKey,
    byte[] Signature) : IWireMessage<ServerHello>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ServerHello;

    /// <inheritdoc />
    public static ServerHello Read(ref WireReader reader) => new(
        reader.ReadFixed(32),
        reader.ReadFixed(1120),
        new SessionId(reader.ReadId()),
        new ServerId(reader.ReadId()),
        reader.ReadTime(),
        reader.ReadFixed(32),
        reader.ReadFixed(64));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteFixed(Random, 32);
        writer.WriteFixed(Ciphertext, 1120);
        writer.WriteId(Session.Value);
        writer.WriteId(Server.Value);
        writer.WriteTime(Time);
        writer.WriteFixed(SigningKey, 32);
        writer.WriteFixed(Signature, 64);
    }
}
