namespace KerberosMessaging.Protocol.Messages;

/// <summary>AS exchange, first step.</summary>
/// <param name="Name">The client's name.</param>
/// <param name="Ke1">OPAQUE KE1 (RFC 9807, section 6.1).</param>
public sealed record StartLoginRequest(string Name, byte[] Ke1) : IWireMessage<StartLoginRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.StartLogin;

    /// <inheritdoc />
    public static StartLoginRequest Read(ref WireReader reader) => new(
        reader.ReadText(ProtocolLimits.NameBytes),
        reader.ReadFixed(96));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteText(Name);
        writer.WriteFixed(Ke1, 96);
    }
}

/// <summary>The answer to <see cref="StartLoginRequest"/>; an unknown name gets one of the same form.</summary>
/// <param name="Stretching">The stretching function of this client's record.</param>
/// <param name="Ke2">OPAQUE KE2.</param>
public sealed record LoginChallenge(Stretching Stretching, byte[] Ke2) : IWireMessage<LoginChallenge>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.LoginChallenge;

    /// <inheritdoc />
    public static LoginChallenge Read(ref WireReader reader) => new(Stretching.Read(ref reader), reader.ReadFixed(320));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        Stretching.Write(writer);
        writer.WriteFixed(Ke2, 320);
    }
}

/// <summary>
/// AS exchange, between its steps: proof of the password alone, to get the earlier export keys before the device is named.
/// A device needs them whose keys are sealed under one of these: without its keys it cannot sign the second step.
/// </summary>
/// <param name="Ke3">OPAQUE KE3; the second step carries the same.</param>
public sealed record FetchPreviousKeysRequest(byte[] Ke3) : IWireMessage<FetchPreviousKeysRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.FetchPreviousKeys;

    /// <inheritdoc />
    public static FetchPreviousKeysRequest Read(ref WireReader reader) => new(reader.ReadFixed(64));

    /// <inheritdoc />
    public void Write(WireWriter writer) => writer.WriteFixed(Ke3, 64);
}

/// <summary>The answer to <see cref="FetchPreviousKeysRequest"/>.</summary>
/// <param name="PreviousKeys">The client's sealed earlier export keys, opaque to the server; empty where there are none.</param>
public sealed record PreviousKeysReply(byte[] PreviousKeys) : IWireMessage<PreviousKeysReply>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.PreviousKeys;

    /// <inheritdoc />
    public static PreviousKeysReply Read(ref WireReader reader) => new(reader.ReadBytes16(ProtocolLimits.PreviousKeysBytes));

    /// <inheritdoc />
    public void Write(WireWriter writer) => writer.WriteBytes16(PreviousKeys);
}

/// <summary>AS exchange, second step: proof of the password and of the device's identity key.</summary>
/// <param name="Ke3">OPAQUE KE3.</param>
/// <param name="Device">The device's own id.</param>
/// <param name="DeviceName">A name for people.</param>
/// <param name="DeviceIdentity">Identity keys: Ed25519 (32) then X25519 (32).</param>
/// <param name="Signature">Ed25519 by the identity key over the channel binding and KE3.</param>
public sealed record FinishLoginRequest(
    byte[] Ke3,
    DeviceId Device,
    string DeviceName,
    byte[] DeviceIdentity,
    byte[] Signature) : IWireMessage<FinishLoginRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.FinishLogin;

    /// <inheritdoc />
    public static FinishLoginRequest Read(ref WireReader reader) => new(
        reader.ReadFixed(64),
        new DeviceId(reader.ReadId()),
        reader.ReadText(ProtocolLimits.NameBytes),
        reader.ReadFixed(64),
        reader.ReadFixed(64));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteFixed(Ke3, 64);
        writer.WriteId(Device.Value);
        writer.WriteText(DeviceName);
        writer.WriteFixed(DeviceIdentity, 64);
        writer.WriteFixed(Signature, 64);
    }
}

/// <summary>A ticket-granting ticket.</summary>
/// <param name="Ticket">The ticket, opaque to the client.</param>
/// <param name="SealedPart">The client's part: session key, times, certificate.</param>
public sealed record TicketGranted(byte[] Ticket, byte[] SealedPart) : IWireMessage<TicketGranted>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.TicketGranted;

    /// <inheritdoc />
    public static TicketGranted Read(ref WireReader reader) => new(
        reader.ReadBytes32(ProtocolLimits.TicketBytes),
        reader.ReadBytes16(ProtocolLimits.SealedPartBytes));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteBytes32(Ticket);
        writer.WriteBytes16(SealedPart);
    }
}
