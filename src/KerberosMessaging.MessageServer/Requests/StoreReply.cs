using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>Replies that several handlers give.</summary>
internal static class StoreReply
{
    /// <summary>When a write that the store did not take may be tried again.</summary>
    public static readonly TimeSpan BusyRetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>The one object of a reply without fields.</summary>
    public static readonly Done DoneMessage = new();

    public static HandlerReply Done { get; } = HandlerReply.Of(DoneMessage);

    /// <summary>The store did not take the write; what went wrong passes, or an operator is already told.</summary>
    public static HandlerReply Busy { get; } = HandlerReply.Refuse(ProtocolError.Busy, BusyRetryAfter);
}
