using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace KerberosMessaging.Hosting.Telemetry;

/// <summary>The transactions of a server's one writer: how many writes share one, how long each takes, and how many failed.</summary>
/// <param name="telemetry">The server's.</param>
public sealed class CommitMetrics(ServerTelemetry telemetry)
{
    // From a fast disk's flush to one that hangs, in seconds.
    private static readonly double[] DurationBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

    private static readonly int[] SizeBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 8192];

    private readonly ActivitySource _source = telemetry.Source;

    private readonly Histogram<double> _durations = telemetry.Meter.CreateHistogram(
        "kmsg.commit.duration",
        "s",
        "How long transactions of the one writer took.",
        tags: null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = DurationBoundaries });

    private readonly Histogram<int> _sizes = telemetry.Meter.CreateHistogram(
        "kmsg.commit.batch.size",
        "{write}",
        "How many writes shared a transaction.",
        tags: null,
        new InstrumentAdvice<int> { HistogramBucketBoundaries = SizeBoundaries });

    private readonly ClosedCounter _failures = new(
        telemetry.Meter, "kmsg.commit.failures", "{commit}", "Transactions that could not be committed.");

    /// <summary>A transaction begins.</summary>
    /// <param name="size">How many writes share it.</param>
    public Commit Begin(int size)
    {
        var activity = _source.HasListeners() ? _source.StartActivity("kmsg.commit") : null;
        activity?.SetTag("kmsg.commit.batch.size", size);
        return new Commit(this, size, Stopwatch.GetTimestamp(), activity);
    }

    /// <summary>A transaction under way; disposed of without <see cref="Succeeded"/> it has failed.</summary>
    public sealed class Commit : IDisposable
    {
        private readonly CommitMetrics _metrics;
        private readonly int _size;
        private readonly long _started;
        private readonly Activity? _activity;
        private bool _succeeded;

        internal Commit(CommitMetrics metrics, int size, long started, Activity? activity) =>
            (_metrics, _size, _started, _activity) = (metrics, size, started, activity);

        /// <summary>It is on disk.</summary>
        public void Succeeded() => _succeeded = true;

        /// <inheritdoc />
        public void Dispose()
        {
            if (_succeeded)
            {
                _metrics._durations.Record(Stopwatch.GetElapsedTime(_started).TotalSeconds);
                _metrics._sizes.Record(_size);
            }
            else
            {
                _metrics._failures.Add();
                _activity?.SetStatus(ActivityStatusCode.Error);
            }

            _activity?.Dispose();
        }
    }
}
