using KerberosMessaging.Protocol;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>What the log is told of connections.</summary>
internal static partial class WireLog
{
    [LoggerMessage(1001, LogLevel.Information, "Connection {ConnectionId} ended: {Error}. {Reason}")]
    public static partial void PeerBrokeProtocol(ILogger logger, string connectionId, ProtocolError error, string reason);

    [LoggerMessage(1002, LogLevel.Debug, "Connection {ConnectionId} ended by its peer.")]
    public static partial void PeerGone(ILogger logger, string connectionId);

    [LoggerMessage(1003, LogLevel.Error, "A request on connection {ConnectionId} failed.")]
    public static partial void HandlerFailed(ILogger logger, Exception exception, string connectionId);

    [LoggerMessage(1005, LogLevel.Debug, "Connection {ConnectionId} ended: nothing was heard for too long.")]
    public static partial void PeerSilent(ILogger logger, string connectionId);

    [LoggerMessage(1006, LogLevel.Information, "Draining {Count} connections; readiness is off.")]
    public static partial void Draining(ILogger logger, int count);

    [LoggerMessage(1007, LogLevel.Information, "The drain was undone; connections are taken again.")]
    public static partial void DrainUndone(ILogger logger);

    [LoggerMessage(1004, LogLevel.Information, "Connection {ConnectionId} was closed: this server is not ready yet.")]
    public static partial void NotReady(ILogger logger, string connectionId);
}
