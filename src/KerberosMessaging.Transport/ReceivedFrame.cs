using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport;

/// <summary>A frame whose record was verified and opened.</summary>
/// <param name="Code">What the payload is.</param>
/// <param name="RequestId">The requester's number.</param>
/// <param name="Payload">The plaintext; valid until the next read from the channel.</param>
public readonly record struct ReceivedFrame(MessageCode Code, uint RequestId, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Code, number and length: never the bytes.</summary>
    public override string ToString() => $"{Code} #{RequestId}, {Payload.Length} bytes";
}
