using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport;

/// <summary>A reply to a request, not yet read.</summary>
/// <param name="Code">What the payload is.</param>
/// <param name="Payload">The plaintext payload.</param>
public readonly record struct WireReply(MessageCode Code, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Reads the reply as one kind of message; null when it is of another kind.</summary>
    /// <typeparam name="T">The kind.</typeparam>
    /// <exception cref="ProtocolException">It is of that kind but not well-formed.</exception>
    public T? As<T>()
        where T : IWireMessage<T> => Code == T.Code ? WireReader.ReadWhole<T>(Payload.Span) : default;

    /// <summary>Code and length: never the bytes.</summary>
    public override string ToString() => $"{Code}, {Payload.Length} bytes";

    internal static RequestRefusedException Refusal(ReadOnlyMemory<byte> payload)
    {
        var error = WireReader.ReadWhole<ErrorReply>(payload.Span);
        return new RequestRefusedException(error.Error, TimeSpan.FromMilliseconds(error.RetryAfterMilliseconds));
    }
}
