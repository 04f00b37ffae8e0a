namespace KerberosMessaging.Protocol.Messages;

/// <summary>An enrolled message server proves itself on this channel, and states where clients reach it now.</summary>
/// <param name="Server">The id the realm gave it.</param>
/// <param name="Name">A name for people.</param>
/// <param name="Host">The host name or address that clients are told.</param>
/// <param name="Port">The TCP port that clients are told.</param>
/// <param name="Signature">Ed25519 by the enrolled signing key over the channel binding and the fields before.</param>
public sealed record AuthenticateServerRequest(
    ServerId Server,
    string Name,
    string Host,
    ushort Port,
    byte[] Signature) : IWireMessage<AuthenticateServerRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.AuthenticateServer;

    /// <inheritdoc />
    public static AuthenticateServerRequest Read(ref WireReader reader) => new(
        new ServerId(reader.ReadId()),
        reader.ReadText(ProtocolLimits.NameBytes),
        reader.ReadText(ProtocolLimits.HostBytes),
        reader.ReadU16(),
        reader.ReadFixed(64));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteId(Server.Value);
        writer.WriteText(Name);
        writer.WriteText(Host);
        writer.WriteU16(Port);
        writer.WriteFixed(Signature, 64);
    }
}

/// <summary>Asks for the keys of the message server that authenticated on this channel; also a sign of life of its subscription.</summary>
public sealed record FetchServerKeysRequest : IWireMessage<FetchServerKeysRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.FetchServerKeys;

    /// <inheritdoc />
    public static FetchServerKeysRequest Read(ref WireReader reader) => new();

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
    }
}

/// <summary>
/// What a message server opens and verifies service tickets with. It carries secret keys: never log or store it unsealed.
/// </summary>
/// <param name="RealmKey">The realm's Ed25519 public key, which is pinned; it signs handshakes and device certificates. 32 bytes.</param>
/// <param name="ServiceKeys">Secret: service tickets for this server are sealed under these. 1 to 16, no version twice.</param>
/// <param name="TicketSigningKeys">Ed25519 public keys that sign service tickets. 1 to 16, no version twice.</param>
public sealed record ServerKeys(
    byte[] RealmKey,
    IReadOnlyList<VersionedKey> ServiceKeys,
    IReadOnlyList<VersionedKey> TicketSigningKeys) : IWireMessage<ServerKeys>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ServerKeys;

    /// <inheritdoc />
    public static ServerKeys Read(ref WireReader reader) => new(
        reader.ReadFixed(32),
        VersionedKey.ReadList(ref reader),
        VersionedKey.ReadList(ref reader));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteFixed(RealmKey, 32);
        VersionedKey.WriteList(writer, ServiceKeys);
        VersionedKey.WriteList(writer, TicketSigningKeys);
    }

    /// <summary>The versions alone.</summary>
    public override string ToString() =>
        $"{nameof(ServerKeys)} service {Versions(ServiceKeys)}, ticket signing {Versions(TicketSigningKeys)}";

    private static string Versions(IEnumerable<VersionedKey> keys) => string.Join(' ', keys.Select(static key => key.Version));
}

/// <summary>A key and its number.</summary>
/// <param name="Version">Key version number; a newer key has a higher one.</param>
/// <param name="Key">32 bytes.</param>
public sealed record VersionedKey(uint Version, byte[] Key)
{
    private const int KeySize = 32;

    /// <summary>The version alone: the key may be a secret.</summary>
    public override string ToString() => $"key {Version}";

    internal static VersionedKey[] ReadList(ref WireReader reader)
    {
        var keys = new VersionedKey[reader.ReadCount(ProtocolLimits.KeyVersions, 4 + KeySize)];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = new VersionedKey(reader.ReadU32(), reader.ReadFixed(KeySize));
        }

        // A server without a key could do nothing, and of two keys of one version nobody knows which is meant.
        return keys.Length > 0 && keys.DistinctBy(static key => key.Version).Count() == keys.Length
            ? keys
            : throw new ProtocolException(ProtocolError.Malformed, "A list of keys is empty or has a version twice.");
    }

    internal static void WriteList(WireWriter writer, IReadOnlyList<VersionedKey> keys)
    {
        writer.WriteCount(keys.Count);
        foreach (var (version, key) in keys)
        {
            writer.WriteU32(version);
            writer.WriteFixed(key, KeySize);
        }
    }
}

/// <summary>The newest key of each kind that this message server has stored durably: the auth server uses no newer ones for it.</summary>
/// <param name="ServiceKeyVersion">Version of its newest service key.</param>
/// <param name="TicketSigningKeyVersion">Version of its newest ticket-signing public key.</param>
public sealed record ConfirmServerKeysRequest(
    uint ServiceKeyVersion,
    uint TicketSigningKeyVersion) : IWireMessage<ConfirmServerKeysRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ConfirmServerKeys;

    /// <inheritdoc />
    public static ConfirmServerKeysRequest Read(ref WireReader reader) => new(reader.ReadU32(), reader.ReadU32());

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteU32(ServiceKeyVersion);
        writer.WriteU32(TicketSigningKeyVersion);
    }
}

/// <summary>Push: the keys of this message server changed; it fetches them.</summary>
public sealed record ServerKeysChanged : IWireMessage<ServerKeysChanged>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ServerKeysChanged;

    /// <inheritdoc />
    public static ServerKeysChanged Read(ref WireReader reader) => new();

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
    }
}
