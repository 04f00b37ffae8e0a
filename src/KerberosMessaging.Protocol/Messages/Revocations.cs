namespace KerberosMessaging.Protocol.Messages;

/// <summary>A message server asks to be told what is revoked, now and from now on.</summary>
/// <param name="After">The position of the newest revocation it has; 0 for all that the auth server keeps.</param>
public sealed record SubscribeRevocationsRequest(ulong After) : IWireMessage<SubscribeRevocationsRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.SubscribeRevocations;

    /// <inheritdoc />
    public static SubscribeRevocationsRequest Read(ref WireReader reader) => new(reader.ReadU64());

    /// <inheritdoc />
    public void Write(WireWriter writer) => writer.WriteU64(After);
}

/// <summary>The answer to <see cref="SubscribeRevocationsRequest"/>; the pushes with what is newer follow.</summary>
/// <param name="Newest">The position of the newest revocation there is; 0 when there is none.</param>
public sealed record RevocationsSubscribed(ulong Newest) : IWireMessage<RevocationsSubscribed>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.RevocationsSubscribed;

    /// <inheritdoc />
    public static RevocationsSubscribed Read(ref WireReader reader) => new(reader.ReadU64());

    /// <inheritdoc />
    public void Write(WireWriter writer) => writer.WriteU64(Newest);
}

/// <summary>Push: what was revoked.</summary>
/// <param name="Entries">In the order of their positions.</param>
public sealed record Revocations(IReadOnlyList<Revocation> Entries) : IWireMessage<Revocations>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.Revocations;

    /// <inheritdoc />
    public static Revocations Read(ref WireReader reader)
    {
        var entries = new Revocation[reader.ReadCount(ProtocolLimits.RevocationsPerPush, Revocation.Size)];
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i] = Revocation.Read(ref reader);
        }

        return new Revocations(entries);
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteCount(Entries.Count);
        foreach (var entry in Entries)
        {
            entry.Write(writer);
        }
    }
}

/// <summary>One revocation: which tickets a message server refuses from now on, and whose channels it ends.</summary>
/// <param name="Position">Its place in the order of all revocations of the realm, strictly increasing.</param>
/// <param name="Kind">What is refused.</param>
/// <param name="Client">The client.</param>
/// <param name="Device">The device, or the session's device; zero when <paramref name="Kind"/> is the client.</param>
/// <param name="Session">The session; zero unless <paramref name="Kind"/> is the session.</param>
/// <param name="At">When it was revoked.</param>
public sealed record Revocation(
    ulong Position,
    RevocationKind Kind,
    ClientId Client,
    DeviceId Device,
    SessionId Session,
    DateTimeOffset At)
{
    internal const int Size = 8 + 1 + 16 + 16 + 16 + 8;

    /// <summary>Reads one entry.</summary>
    public static Revocation Read(ref WireReader reader) => new(
        reader.ReadU64(),
        ReadKind(ref reader),
        new ClientId(reader.ReadId()),
        new DeviceId(reader.ReadId()),
        new SessionId(reader.ReadId()),
        reader.ReadTime());

    /// <summary>Writes one entry.</summary>
    public void Write(WireWriter writer)
    {
        writer.WriteU64(Position);
        writer.WriteU8((byte)Kind);
        writer.WriteId(Client.Value);
        writer.WriteId(Device.Value);
        writer.WriteId(Session.Value);
        writer.WriteTime(At);
    }

    // Passing over a kind that is not known would keep serving someone who was to be refused.
    private static RevocationKind ReadKind(ref WireReader reader) => (RevocationKind)reader.ReadU8() is var kind && Enum.IsDefined(kind)
        ? kind
        : throw new ProtocolException(ProtocolError.Malformed, "A revocation is of a kind that is not known.");
}
