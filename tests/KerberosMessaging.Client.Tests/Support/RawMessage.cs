using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Tests.Support;

/// <summary>A frame whose payload is any bytes.</summary>
internal sealed record RawMessage(MessageCode FrameCode, byte[] Payload) : IWireMessage
{
    public void Write(WireWriter writer) => writer.WriteFixed(Payload, Payload.Length);
}
