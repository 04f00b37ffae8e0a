namespace KerberosMessaging.Protocol.Messages;

/// <summary>Push: one message from the mailbox of the device that this channel belongs to.</summary>
/// <param name="Sequence">Its number in the mailbox, strictly increasing; 0 for an ephemeral message, which is in none.</param>
/// <param name="Message">The sender's message id.</param>
/// <param name="Sender">The sending client, as proven by its ticket.</param>
/// <param name="SenderDevice">The sending device, as proven by its ticket.</param>
/// <param name="SenderName">The sender's name, as proven by its ticket.</param>
/// <param name="AcceptedAt">When the server took the message.</param>
/// <param name="Envelope">The end-to-end envelope.</param>
public sealed record Deliver(
    ulong Sequence,
    MessageId Message,
    ClientId Sender,
    DeviceId SenderDevice,
    string SenderName,
    DateTimeOffset AcceptedAt,
    ReadOnlyMemory<byte> Envelope) : IWireMessage<Deliver>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.Deliver;

    /// <inheritdoc />
    public static Deliver Read(ref WireReader reader) => new(
        reader.ReadU64(),
        new MessageId(reader.ReadId()),
        new ClientId(reader.ReadId()),
        new DeviceId(reader.ReadId()),
        reader.ReadText(ProtocolLimits.NameBytes),
        reader.ReadTime(),
        reader.ReadBytes32(ProtocolLimits.EnvelopeBytes));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteU64(Sequence);
        writer.WriteId(Message.Value);
        writer.WriteId(Sender.Value);
        writer.WriteId(SenderDevice.Value);
        writer.WriteText(SenderName);
        writer.WriteTime(AcceptedAt);
        writer.WriteBytes32(Envelope.Span);
    }
}

/// <summary>Acknowledges delivered messages, after the client's own commit.</summary>
/// <param name="Ranges">Inclusive ranges of sequence numbers.</param>
/// <param name="Credit">How many more messages the server may push, as <see cref="GrantCreditRequest"/> says it; 0 for none.</param>
public sealed record AcknowledgeRequest(IReadOnlyList<SequenceRange> Ranges, uint Credit) : IWireMessage<AcknowledgeRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.Acknowledge;

    /// <inheritdoc />
    public static AcknowledgeRequest Read(ref WireReader reader)
    {
        var ranges = new SequenceRange[reader.ReadCount(ProtocolLimits.RangesPerAcknowledgement, 16)];
        for (var i = 0; i < ranges.Length; i++)
        {
            ranges[i] = new SequenceRange(reader.ReadU64(), reader.ReadU64());
            if (ranges[i].First > ranges[i].Last || ranges[i].Last > long.MaxValue)
            {
                throw new ProtocolException(ProtocolError.Malformed, "A range of sequence numbers is out of order.");
            }
        }

        return new AcknowledgeRequest(ranges, reader.ReadU32());
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteCount(Ranges.Count);
        foreach (var (first, last) in Ranges)
        {
            writer.WriteU64(first);
            writer.WriteU64(last);
        }

        writer.WriteU32(Credit);
    }
}

/// <summary>An inclusive range of mailbox sequence numbers.</summary>
/// <param name="First">The first.</param>
/// <param name="Last">The last, not below the first.</param>
public readonly record struct SequenceRange(ulong First, ulong Last);
