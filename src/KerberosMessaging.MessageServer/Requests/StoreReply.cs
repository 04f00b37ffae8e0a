using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>Replies that several handlers give.</summary>
internal static class StoreReply
{
    private static readonly Done DoneReply = new();

    public static HandlerReply Done { get; } = HandlerReply.Of(DoneReply);

    /// <summary>The store did not take the write; what went wrong passes, or an operator is already told.</summary>
    public static HandlerReply Busy { get; } = HandlerReply.Refuse(ProtocolError.Busy, TimeSpan.FromSeconds(1));
}
