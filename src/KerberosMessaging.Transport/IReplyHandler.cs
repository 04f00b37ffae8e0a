using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport;

/// <summary>
/// Takes replies without a task for each request; see <see cref="RequestConnection.SendAsync"/>. For every request that was
/// sent one of the two methods is called, once. Both run on the connection's read loop, replies in the order in which they
/// came: they must be short and must not block.
/// </summary>
public interface IReplyHandler
{
    /// <summary>
    /// The reply came. An exception from here ends the connection, and this request then fails with it.
    /// </summary>
    /// <param name="code">What it is; <see cref="MessageCode.Error"/> where the peer refused the request.</param>
    /// <param name="payload">The plaintext payload, valid only during the call.</param>
    void OnReply(MessageCode code, ReadOnlyMemory<byte> payload);

    /// <summary>The connection ended before the reply came; the request may have been carried out. Must not throw.</summary>
    /// <param name="reason">Why it ended.</param>
    void OnFailed(ChannelException reason);
}
