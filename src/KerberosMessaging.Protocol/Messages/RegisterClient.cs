namespace KerberosMessaging.Protocol.Messages;

/// <summary>Registration, first step: OPAQUE CreateRegistrationRequest (RFC 9807, section 5.2.1).</summary>
/// <param name="Name">The wished client name.</param>
/// <param name="Token">An invite, or a token that lets an existing client set a new password; empty where there is none.</param>
/// <param name="RegistrationRequest">The blinded password element.</param>
public sealed record RegisterClientRequest(
    string Name,
    string Token,
    byte[] RegistrationRequest) : IWireMessage<RegisterClientRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.RegisterClient;

    /// <inheritdoc />
    public static RegisterClientRequest Read(ref WireReader reader) => new(
        reader.ReadText(ProtocolLimits.NameBytes),
        reader.ReadText(ProtocolLimits.TokenBytes),
        reader.ReadFixed(32));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteText(Name);
        writer.WriteText(Token);
        writer.WriteFixed(RegistrationRequest, 32);
    }

    /// <summary>The name: never the token, which registers whoever has it.</summary>
    public override string ToString() => $"{nameof(RegisterClientRequest)} {Name}";
}

/// <summary>The answer to <see cref="RegisterClientRequest"/>.</summary>
/// <param name="RegistrationResponse">Evaluated element and the server's OPAQUE public key.</param>
/// <param name="Stretching">The stretching function that the realm asks for.</param>
/// <param name="MinimumPasswordLength">Fewest Unicode code points; only the client can check it, before it sends a record.</param>
public sealed record RegistrationChallenge(
    byte[] RegistrationResponse,
    Stretching Stretching,
    ushort MinimumPasswordLength) : IWireMessage<RegistrationChallenge>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.RegistrationChallenge;

    /// <inheritdoc />
    public static RegistrationChallenge Read(ref WireReader reader) => new(
        reader.ReadFixed(64),
        Stretching.Read(ref reader),
        reader.ReadU16());

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteFixed(RegistrationResponse, 64);
        Stretching.Write(writer);
        writer.WriteU16(MinimumPasswordLength);
    }
}

/// <summary>Registration, second step: the record to store.</summary>
/// <param name="Name">The name of the first step.</param>
/// <param name="RegistrationRecord">OPAQUE registration record.</param>
/// <param name="Stretching">The stretching function that was used.</param>
public sealed record FinishRegistrationRequest(
    string Name,
    byte[] RegistrationRecord,
    Stretching Stretching) : IWireMessage<FinishRegistrationRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.FinishRegistration;

    /// <inheritdoc />
    public static FinishRegistrationRequest Read(ref WireReader reader) => new(
        reader.ReadText(ProtocolLimits.NameBytes),
        reader.ReadFixed(192),
        Stretching.Read(ref reader));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteText(Name);
        writer.WriteFixed(RegistrationRecord, 192);
        Stretching.Write(writer);
    }
}

/// <summary>The client exists now.</summary>
/// <param name="Client">Its id.</param>
public sealed record ClientRegistered(ClientId Client) : IWireMessage<ClientRegistered>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ClientRegistered;

    /// <inheritdoc />
    public static ClientRegistered Read(ref WireReader reader) => new(new ClientId(reader.ReadId()));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteId(Client.Value);
    }
}

/// <summary>The client was not registered.</summary>
/// <param name="Reason">Why.</param>
public sealed record RegistrationRefused(RegistrationRefusal Reason) : IWireMessage<RegistrationRefused>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.RegistrationRefused;

    /// <inheritdoc />
    public static RegistrationRefused Read(ref WireReader reader) => new((RegistrationRefusal)reader.ReadU16());

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteU16((ushort)Reason);
    }
}
