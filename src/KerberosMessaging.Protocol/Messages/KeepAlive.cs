namespace KerberosMessaging.Protocol.Messages;

/// <summary>A sign of life, answered by <see cref="Done"/>, which is one of the server.</summary>
public sealed record PingRequest : IWireMessage<PingRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.Ping;

    /// <inheritdoc />
    public static PingRequest Read(ref WireReader reader) => new();

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
    }
}

/// <summary>Push: the server heard nothing for a while. The peer answers with <see cref="PingRequest"/>.</summary>
public sealed record AreYouThere : IWireMessage<AreYouThere>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.AreYouThere;

    /// <inheritdoc />
    public static AreYouThere Read(ref WireReader reader) => new();

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
    }
}
