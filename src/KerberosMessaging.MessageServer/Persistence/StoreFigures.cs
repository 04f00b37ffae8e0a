using System.Diagnostics.Metrics;
using KerberosMessaging.Hosting.Telemetry;
using KerberosMessaging.MessageServer.Domain.Blobs;
using KerberosMessaging.MessageServer.Persistence.Blobs;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>What the database holds, in numbers.</summary>
internal sealed class StoreFigures
{
    private readonly IDbContextFactory<MessageDbContext> _contexts;
    private readonly BlobIndex _blobs;
    private readonly TimeProvider _time;
    private readonly SampledFigures<Sample> _figures;

    public StoreFigures(ServerTelemetry telemetry, IDbContextFactory<MessageDbContext> contexts, BlobIndex blobs, TimeProvider time)
    {
        _contexts = contexts;
        _blobs = blobs;
        _time = time;
        _figures = new SampledFigures<Sample>(LookAsync, time);
        Gauge(telemetry.Meter, "kmsg.queue.messages", "{envelope}", "Envelopes that wait on disk.", static sample => sample.Queue.Count);
        Gauge(telemetry.Meter, "kmsg.queue.size", "By", "Bytes of envelopes that wait on disk.", static sample => sample.Queue.Bytes);
        Gauge(
            telemetry.Meter,
            "kmsg.queue.oldest.age",
            "s",
            "For how long the oldest envelope has waited; 0 when none does.",
            sample => sample.Queue.OldestAt is { } oldest
                ? Math.Max(0, (_time.GetUtcNow().ToUnixTimeMilliseconds() - oldest) / 1000)
                : 0);
        Gauge(telemetry.Meter, "kmsg.blobs", "{blob}", "Blobs, those being uploaded among them.", static sample => sample.Blobs.Complete + sample.Blobs.Unfinished);
        Gauge(telemetry.Meter, "kmsg.blobs.size", "By", "Bytes of complete blobs.", static sample => sample.Blobs.CompleteBytes);
        Gauge(telemetry.Meter, "kmsg.prekeys.stock", "{key}", "One-time prekeys of all devices.", static sample => sample.Prekeys);
    }

    private void Gauge(Meter meter, string name, string unit, string description, Func<Sample, long> value) => meter.CreateObservableGauge(
        name, () => _figures.Read() is { } sample ? [new Measurement<long>(value(sample))] : Array.Empty<Measurement<long>>(), unit, description);

    private async Task<Sample> LookAsync(CancellationToken cancellationToken)
    {
        await using var context = await _contexts.CreateDbContextAsync(cancellationToken);
        var queue = await context.Envelopes
            .GroupBy(static _ => 1)
            .Select(static rows => new Queue(rows.LongCount(), rows.Sum(row => (long)row.Body.Length), rows.Min(row => (long?)row.AcceptedAt)))
            .SingleOrDefaultAsync(cancellationToken);
        return new Sample(queue ?? new Queue(0, 0, null), await _blobs.ReadStatsAsync(cancellationToken), await context.OneTimePrekeys.LongCountAsync(cancellationToken));
    }

    private sealed record Queue(long Count, long Bytes, long? OldestAt);

    private sealed record Sample(Queue Queue, BlobStats Blobs, long Prekeys);
}
