using KerberosMessaging.Protocol;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>Any bytes under any code: what only a faulty peer sends.</summary>
internal sealed record RawMessage(MessageCode FrameCode, byte[] Payload) : IWireMessage
{
    public void Write(WireWriter writer) => writer.WriteFixed(Payload, Payload.Length);
}
