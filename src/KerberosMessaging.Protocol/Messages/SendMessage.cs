namespace KerberosMessaging.Protocol.Messages;

/// <summary>Sends one message to a client: one end-to-end envelope for each of its devices that is not left out.</summary>
/// <param name="Message">Random id; a repeat of it is answered as the first was, and stored once.</param>
/// <param name="Recipient">The client it is for.</param>
/// <param name="TimeToLiveSeconds">How long it may wait; 0 for the server's default.</param>
/// <param name="Kind">Whether it waits for devices that are away.</param>
/// <param name="Envelopes">At least one; no device twice.</param>
/// <param name="LeftOut">
/// Devices that the sender knows of and writes no envelope for, such as those that it does not accept; no device twice, and none
/// that has an envelope.
/// </param>
public sealed record SendMessageRequest(
    MessageId Message,
    ClientId Recipient,
    uint TimeToLiveSeconds,
    DeliveryKind Kind,
    IReadOnlyList<DeviceEnvelope> Envelopes,
    IReadOnlyList<DeviceId> LeftOut) : IWireMessage<SendMessageRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.SendMessage;

    /// <inheritdoc />
    public static SendMessageRequest Read(ref WireReader reader)
    {
        var message = new MessageId(reader.ReadId());
        var recipient = new ClientId(reader.ReadId());
        var timeToLive = reader.ReadU32();
        var kind = (DeliveryKind)reader.ReadU8();
        var envelopes = new DeviceEnvelope[reader.ReadCount(ProtocolLimits.DevicesPerClient, 20)];
        if (envelopes.Length == 0 || timeToLive > ProtocolLimits.TimeToLiveSeconds || kind > DeliveryKind.Ephemeral)
        {
            throw new ProtocolException(
                ProtocolError.Malformed, "A message has no envelope, too long a time to live, or no known kind.");
        }

        for (var i = 0; i < envelopes.Length; i++)
        {
            var device = new DeviceId(reader.ReadId());
            CheckIsNew(device, envelopes.AsSpan(0, i), []);
            envelopes[i] = new DeviceEnvelope(device, reader.ReadBytes32(ProtocolLimits.EnvelopeBytes));
            EnvelopeShape.Check(envelopes[i].Envelope);
        }

        var leftOut = DeviceList.Read(ref reader);
        for (var i = 0; i < leftOut.Length; i++)
        {
            CheckIsNew(leftOut[i], envelopes, leftOut.AsSpan(0, i));
        }

        return new SendMessageRequest(message, recipient, timeToLive, kind, envelopes, leftOut);
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteId(Message.Value);
        writer.WriteId(Recipient.Value);
        writer.WriteU32(TimeToLiveSeconds);
        writer.WriteU8((byte)Kind);
        writer.WriteCount(Envelopes.Count);
        foreach (var (device, envelope) in Envelopes)
        {
            writer.WriteId(device.Value);
            writer.WriteBytes32(envelope);
        }

        DeviceList.Write(writer, LeftOut);
    }

    private static void CheckIsNew(DeviceId device, ReadOnlySpan<DeviceEnvelope> envelopes, ReadOnlySpan<DeviceId> leftOut)
    {
        var isNew = !leftOut.Contains(device);
        foreach (var envelope in envelopes)
        {
            isNew &= envelope.Device != device;
        }

        if (!isNew)
        {
            throw new ProtocolException(ProtocolError.Malformed, "A message names a device twice.");
        }
    }
}

/// <summary>Whether a message waits for devices that are away.</summary>
public enum DeliveryKind : byte
{
    /// <summary>It waits in the mailbox until it is acknowledged.</summary>
    Durable = 0,

    /// <summary>
    /// It is pushed to devices that are connected and have credit, with sequence number 0, and is never stored, repeated or
    /// acknowledged.
    /// </summary>
    Ephemeral = 1,
}

/// <summary>A device and the envelope for it.</summary>
/// <param name="Device">The device.</param>
/// <param name="Envelope">What only that device can open.</param>
public sealed record DeviceEnvelope(DeviceId Device, byte[] Envelope);

/// <summary>Every envelope is on disk in its mailbox, or already acknowledged by its device.</summary>
/// <param name="AcceptedAt">When the server took the message.</param>
public sealed record MessageAccepted(DateTimeOffset AcceptedAt) : IWireMessage<MessageAccepted>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.MessageAccepted;

    /// <inheritdoc />
    public static MessageAccepted Read(ref WireReader reader) => new(reader.ReadTime());

    /// <inheritdoc />
    public void Write(WireWriter writer) => writer.WriteTime(AcceptedAt);
}

/// <summary>Nothing was taken, because the envelopes do not match the recipient's devices.</summary>
/// <param name="Unknown">Devices in the request that the recipient does not have.</param>
/// <param name="Missing">Devices of the recipient for which there was no envelope, and that were not left out.</param>
public sealed record DevicesMismatched(IReadOnlyList<DeviceId> Unknown, IReadOnlyList<DeviceId> Missing)
    : IWireMessage<DevicesMismatched>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.DevicesMismatched;

    /// <inheritdoc />
    public static DevicesMismatched Read(ref WireReader reader) =>
        new(DeviceList.Read(ref reader), DeviceList.Read(ref reader));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        DeviceList.Write(writer, Unknown);
        DeviceList.Write(writer, Missing);
    }
}
