namespace KerberosMessaging.Protocol.Messages;

/// <summary>Done, with nothing more to say.</summary>
public sealed record Done : IWireMessage<Done>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.Done;

    /// <inheritdoc />
    public static Done Read(ref WireReader reader) => new();

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
    }
}

/// <summary>Error frame: a code from a closed list, never text.</summary>
/// <param name="Error">What went wrong.</param>
/// <param name="RetryAfterMilliseconds">When a retry makes sense; 0 when the code says nothing about it.</param>
public sealed record ErrorReply(ProtocolError Error, uint RetryAfterMilliseconds) : IWireMessage<ErrorReply>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.Error;

    /// <inheritdoc />
    public static ErrorReply Read(ref WireReader reader) => new((ProtocolError)reader.ReadU16(), reader.ReadU32());

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteU16((ushort)Error);
        writer.WriteU32(RetryAfterMilliseconds);
    }
}

/// <summary>Push: something happened to this connection.</summary>
/// <param name="Kind">What.</param>
/// <param name="RetryAfterMilliseconds">When to connect again; 0 for no advice.</param>
public sealed record Notice(NoticeKind Kind, uint RetryAfterMilliseconds) : IWireMessage<Notice>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.Notice;

    /// <inheritdoc />
    public static Notice Read(ref WireReader reader) => new((NoticeKind)reader.ReadU16(), reader.ReadU32());

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteU16((ushort)Kind);
        writer.WriteU32(RetryAfterMilliseconds);
    }
}
