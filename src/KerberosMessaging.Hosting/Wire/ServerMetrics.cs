using System.Diagnostics;
using System.Diagnostics.Metrics;
using KerberosMessaging.Hosting.Telemetry;
using KerberosMessaging.Hosting.Wire.Limits;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>
/// What the wire port does, in numbers. Values of tags come from closed sets alone: codes with a handler, outcomes, limits and
/// protocol errors; never names, addresses or identifiers.
/// </summary>
internal sealed class ServerMetrics
{
    // From a look-up in memory to a login that waits for a busy disk, in seconds.
    private static readonly double[] DurationBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

    private static readonly string[] Outcomes = Enum.GetNames<FrameOutcome>();
    private static readonly string[] Limits = Enum.GetNames<Limit>();

    private readonly UpDownCounter<long> _openConnections;
    private readonly ActivitySource _source;
    private readonly Counter<long> _handshakesStarted;
    private readonly Counter<long> _handshakesFailed;
    private readonly Counter<long> _frames;
    private readonly Histogram<double> _durations;
    private readonly ClosedCounter _limited;
    private readonly Counter<long> _errors;

    public ServerMetrics(ServerTelemetry telemetry)
    {
        var meter = telemetry.Meter;
        _source = telemetry.Source;
        _openConnections = meter.CreateUpDownCounter<long>(
            "kmsg.connections.open", "{connection}", "Connections that are open, those in the handshake among them.");
        _handshakesStarted = meter.CreateCounter<long>("kmsg.handshakes.started", "{handshake}", "Handshakes that were waited for.");
        _handshakesFailed = meter.CreateCounter<long>(
            "kmsg.handshakes.failed", "{handshake}", "Handshakes that were refused, timed out or broken off.");
        _frames = meter.CreateCounter<long>("kmsg.frames.received", "{frame}", "Requests by code and outcome.");
        _durations = meter.CreateHistogram(
            "kmsg.handler.duration",
            "s",
            "How long handlers took, by code.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = DurationBoundaries });
        _limited = new ClosedCounter(meter, "kmsg.limits.refused", "{refusal}", "Connections and requests refused, by limit.", "limit", Limits);
        _errors = meter.CreateCounter<long>("kmsg.errors.sent", "{error}", "Error frames, by protocol error.");
    }

    public void ConnectionOpened() => _openConnections.Add(1);

    public void ConnectionClosed() => _openConnections.Add(-1);

    public void HandshakeStarted() => _handshakesStarted.Add(1);

    public void HandshakeFailed() => _handshakesFailed.Add(1);

    /// <summary>Starts the span of a request; null where nobody listens. It names the connection as the log does.</summary>
    public Activity? StartRequest(string code, WireConnection connection)
    {
        if (!_source.HasListeners())
        {
            return null;
        }

        // Requests of one connection have nothing to do with each other, nor with what accepted the connection.
        Activity.Current = null;
        return _source.StartActivity(code, ActivityKind.Server)?.SetTag("kmsg.session", connection.Session.ToString());
    }

    /// <summary>Ends the span of a request.</summary>
    public static void EndRequest(Activity? activity, FrameOutcome outcome)
    {
        if (activity is not null)
        {
            activity.SetTag("kmsg.outcome", Outcomes[(int)outcome]);
            if (outcome == FrameOutcome.Failed)
            {
                activity.SetStatus(ActivityStatusCode.Error);
            }

            activity.Dispose();
        }
    }

    /// <summary>A request that no handler saw.</summary>
    public void FrameTurnedAway(string code, FrameOutcome outcome) => CountFrame(code, outcome);

    /// <summary>A request that a handler is done with.</summary>
    public void FrameHandled(string code, FrameOutcome outcome, TimeSpan duration)
    {
        CountFrame(code, outcome);
        if (_durations.Enabled)
        {
            _durations.Record(duration.TotalSeconds, new TagList { { "code", code } });
        }
    }

    public void Limited(Limit limit) => _limited.Add((int)limit);

    public void ErrorSent(ProtocolError error)
    {
        if (_errors.Enabled)
        {
            _errors.Add(1, new KeyValuePair<string, object?>("error", error.ToString()));
        }
    }

    private void CountFrame(string code, FrameOutcome outcome)
    {
        if (_frames.Enabled)
        {
            _frames.Add(1, new TagList { { "code", code }, { "outcome", Outcomes[(int)outcome] } });
        }
    }
}

/// <summary>What became of a request.</summary>
internal enum FrameOutcome
{
    /// <summary>It got its reply.</summary>
    Answered,

    /// <summary>It got an error, and the connection went on.</summary>
    Refused,

    /// <summary>It was over a limit.</summary>
    Limited,

    /// <summary>It broke the protocol, which ended the connection.</summary>
    Malformed,

    /// <summary>A fault of the server's own, which ended the connection.</summary>
    Failed,

    /// <summary>The connection ended first.</summary>
    Abandoned,
}
