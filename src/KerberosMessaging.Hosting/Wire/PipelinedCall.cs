using System.Diagnostics;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>A pipelined request that waits for its answer.</summary>
public readonly struct PipelinedCall
{
    private readonly RequestRoute _route;
    private readonly uint _requestId;
    private readonly long _started;
    private readonly Activity? _activity;

    internal PipelinedCall(WireConnection connection, RequestRoute route, uint requestId, long started, Activity? activity) =>
        (Connection, _route, _requestId, _started, _activity) = (connection, route, requestId, started, activity);

    /// <summary>The connection that the request came on.</summary>
    public WireConnection Connection { get; }

    /// <summary>Answers, once. It neither waits nor fails: if the connection has ended, nobody is told.</summary>
    /// <param name="message">The reply.</param>
    public void Reply(IWireMessage message) => Connection.Answer(message, _requestId, _route, _started, _activity);

    /// <summary>Answers with an error frame that leaves the connection open.</summary>
    /// <param name="error">A code of 100 or above.</param>
    /// <param name="retryAfter">When a retry makes sense; zero for no advice.</param>
    public void Refuse(ProtocolError error, TimeSpan retryAfter = default) =>
        Reply(new ErrorReply(error, (uint)retryAfter.TotalMilliseconds));

    /// <summary>There will be no answer: the connection has ended.</summary>
    internal void Abandon() => Connection.GiveUp(_route, _started, _activity, FrameOutcome.Abandoned);

    /// <summary>There will be no answer: a fault of our own, which ends the connection.</summary>
    internal void Fail()
    {
        Connection.GiveUp(_route, _started, _activity, FrameOutcome.Failed);
        Connection.Fail(ProtocolError.Internal);
    }
}
