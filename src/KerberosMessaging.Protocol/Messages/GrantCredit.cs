namespace KerberosMessaging.Protocol.Messages;

/// <summary>Lets the server push so many more messages. The first one makes this channel the one that the device's mail goes to.</summary>
/// <param name="Messages">How many to add to the credit.</param>
public sealed record GrantCreditRequest(uint Messages) : IWireMessage<GrantCreditRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.GrantCredit;

    /// <inheritdoc />
    public static GrantCreditRequest Read(ref WireReader reader) => new(reader.ReadU32());

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteU32(Messages);
    }
}

/// <summary>The answer to <see cref="GrantCreditRequest"/>.</summary>
/// <param name="NewestWaiting">
/// Sequence number of the newest message that waited in the mailbox just then; 0 when none did. A client that has seen it
/// has emptied the mailbox.
/// </param>
public sealed record CreditGranted(ulong NewestWaiting) : IWireMessage<CreditGranted>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.CreditGranted;

    /// <inheritdoc />
    public static CreditGranted Read(ref WireReader reader) => new(reader.ReadU64());

    /// <inheritdoc />
    public void Write(WireWriter writer) => writer.WriteU64(NewestWaiting);
}
