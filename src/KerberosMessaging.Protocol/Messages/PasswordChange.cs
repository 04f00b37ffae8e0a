namespace KerberosMessaging.Protocol.Messages;

/// <summary>A new OPAQUE record for the signed-in client, first step: a login for the current password, a registration for the new one.</summary>
/// <param name="Ke1">OPAQUE KE1 for the current password.</param>
/// <param name="RegistrationRequest">The blinded element of the new password.</param>
public sealed record StartPasswordChangeRequest(
    byte[] Ke1,
    byte[] RegistrationRequest) : IWireMessage<StartPasswordChangeRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.StartPasswordChange;

    /// <inheritdoc />
    public static StartPasswordChangeRequest Read(ref WireReader reader) => new(reader.ReadFixed(96), reader.ReadFixed(32));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteFixed(Ke1, 96);
        writer.WriteFixed(RegistrationRequest, 32);
    }
}

/// <summary>The answer to <see cref="StartPasswordChangeRequest"/>.</summary>
/// <param name="Stretching">The stretching function of the current record.</param>
/// <param name="Ke2">OPAQUE KE2 for the current password.</param>
/// <param name="RegistrationResponse">Evaluated element for the new password and the server's OPAQUE public key.</param>
/// <param name="NewStretching">The stretching function that the realm asks for in the new record.</param>
/// <param name="MinimumPasswordLength">Fewest Unicode code points of the new password; only the client can check it.</param>
/// <param name="PreviousKeys">The client's sealed earlier export keys, opaque to the server; empty where there are none.</param>
public sealed record PasswordChangeChallenge(
    Stretching Stretching,
    byte[] Ke2,
    byte[] RegistrationResponse,
    Stretching NewStretching,
    ushort MinimumPasswordLength,
    byte[] PreviousKeys) : IWireMessage<PasswordChangeChallenge>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.PasswordChangeChallenge;

    /// <inheritdoc />
    public static PasswordChangeChallenge Read(ref WireReader reader) => new(
        Stretching.Read(ref reader),
        reader.ReadFixed(320),
        reader.ReadFixed(64),
        Stretching.Read(ref reader),
        reader.ReadU16(),
        reader.ReadBytes16(ProtocolLimits.PreviousKeysBytes));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        Stretching.Write(writer);
        writer.WriteFixed(Ke2, 320);
        writer.WriteFixed(RegistrationResponse, 64);
        NewStretching.Write(writer);
        writer.WriteU16(MinimumPasswordLength);
        writer.WriteBytes16(PreviousKeys);
    }
}

/// <summary>A new OPAQUE record, second step: proof of the current password, and what to store in the place of its record.</summary>
/// <param name="Ke3">OPAQUE KE3 for the current password.</param>
/// <param name="RegistrationRecord">OPAQUE registration record of the new password.</param>
/// <param name="Stretching">The stretching function that was used for it.</param>
/// <param name="PreviousKeys">Earlier export keys sealed under the new one, opaque to the server; empty where there are none.</param>
/// <param name="EndOtherSessions">Whether all sessions of the client but this channel's end.</param>
public sealed record FinishPasswordChangeRequest(
    byte[] Ke3,
    byte[] RegistrationRecord,
    Stretching Stretching,
    byte[] PreviousKeys,
    bool EndOtherSessions) : IWireMessage<FinishPasswordChangeRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.FinishPasswordChange;

    /// <inheritdoc />
    public static FinishPasswordChangeRequest Read(ref WireReader reader) => new(
        reader.ReadFixed(64),
        reader.ReadFixed(192),
        Stretching.Read(ref reader),
        reader.ReadBytes16(ProtocolLimits.PreviousKeysBytes),
        reader.ReadFlag());

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteFixed(Ke3, 64);
        writer.WriteFixed(RegistrationRecord, 192);
        Stretching.Write(writer);
        writer.WriteBytes16(PreviousKeys);
        writer.WriteFlag(EndOtherSessions);
    }
}
