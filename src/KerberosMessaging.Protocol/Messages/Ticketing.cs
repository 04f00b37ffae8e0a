namespace KerberosMessaging.Protocol.Messages;

/// <summary>TGS exchange.</summary>
/// <param name="Ticket">The ticket-granting ticket.</param>
/// <param name="Authenticator">Sealed under the ticket's session key, bound to this channel.</param>
/// <param name="Server">The message server wanted.</param>
public sealed record ServiceTicketRequest(
    byte[] Ticket,
    byte[] Authenticator,
    ServerId Server) : IWireMessage<ServiceTicketRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.RequestServiceTicket;

    /// <inheritdoc />
    public static ServiceTicketRequest Read(ref WireReader reader) => new(
        reader.ReadBytes32(ProtocolLimits.TicketBytes),
        reader.ReadBytes16(ProtocolLimits.SealedPartBytes),
        new ServerId(reader.ReadId()));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteBytes32(Ticket);
        writer.WriteBytes16(Authenticator);
        writer.WriteId(Server.Value);
    }
}

/// <summary>A service ticket.</summary>
/// <param name="Ticket">The ticket, opaque to the client.</param>
/// <param name="SealedPart">The client's part, sealed under the ticket-granting ticket's session key.</param>
public sealed record ServiceTicketReply(byte[] Ticket, byte[] SealedPart) : IWireMessage<ServiceTicketReply>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ServiceTicket;

    /// <inheritdoc />
    public static ServiceTicketReply Read(ref WireReader reader) => new(
        reader.ReadBytes32(ProtocolLimits.TicketBytes),
        reader.ReadBytes16(ProtocolLimits.SealedPartBytes));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteBytes32(Ticket);
        writer.WriteBytes16(SealedPart);
    }
}

/// <summary>AP exchange. Until its reply the client sends nothing else on the connection.</summary>
/// <param name="Ticket">A service ticket at a message server, the ticket-granting ticket at the auth server.</param>
/// <param name="Authenticator">Sealed under the ticket's session key, bound to this channel.</param>
public sealed record PresentTicketRequest(byte[] Ticket, byte[] Authenticator) : IWireMessage<PresentTicketRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.PresentTicket;

    /// <inheritdoc />
    public static PresentTicketRequest Read(ref WireReader reader) => new(
        reader.ReadBytes32(ProtocolLimits.TicketBytes),
        reader.ReadBytes16(ProtocolLimits.SealedPartBytes));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteBytes32(Ticket);
        writer.WriteBytes16(Authenticator);
    }
}

/// <summary>The ticket opened; frames that follow in either direction use keys into which its session key is mixed.</summary>
/// <param name="SealedPart">The server's proof: the authenticator's nonce, sealed under the session key.</param>
public sealed record TicketAccepted(byte[] SealedPart) : IWireMessage<TicketAccepted>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.TicketAccepted;

    /// <inheritdoc />
    public static TicketAccepted Read(ref WireReader reader) => new(reader.ReadBytes16(ProtocolLimits.SealedPartBytes));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteBytes16(SealedPart);
    }
}

/// <summary>Renews a ticket-granting ticket within its renewable life.</summary>
/// <param name="Ticket">The ticket-granting ticket.</param>
/// <param name="Authenticator">Sealed under the ticket's session key, bound to this channel.</param>
public sealed record RenewTicketRequest(byte[] Ticket, byte[] Authenticator) : IWireMessage<RenewTicketRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.RenewTicket;

    /// <inheritdoc />
    public static RenewTicketRequest Read(ref WireReader reader) => new(
        reader.ReadBytes32(ProtocolLimits.TicketBytes),
        reader.ReadBytes16(ProtocolLimits.SealedPartBytes));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteBytes32(Ticket);
        writer.WriteBytes16(Authenticator);
    }
}

/// <summary>Ends the session of this channel.</summary>
/// <param name="Everywhere">All sessions of the client, not only this one.</param>
public sealed record LogoutRequest(bool Everywhere) : IWireMessage<LogoutRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.Logout;

    /// <inheritdoc />
    public static LogoutRequest Read(ref WireReader reader) => new(reader.ReadFlag());

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteFlag(Everywhere);
    }
}
