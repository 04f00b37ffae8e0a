using System.Diagnostics.Metrics;
using KerberosMessaging.Hosting.Telemetry;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>What the message server does, in numbers. What is written is counted once it is on disk, by the one writer.</summary>
internal sealed class RelayMetrics
{
    // One of each kind for everybody who starts a session.
    private const int OneTimePrekeyKinds = 2;

    private readonly ClosedCounter _expired;
    private readonly ClosedCounter _prekeysTaken;
    private readonly ClosedCounter _prekeysMissed;
    private long _acknowledgedWritten;

    public RelayMetrics(ServerTelemetry telemetry, MessageCounts counts)
    {
        var meter = telemetry.Meter;
        meter.CreateObservableCounter("kmsg.messages.accepted", () => counts.Accepted, "{message}", "Messages that senders were told are kept.");
        meter.CreateObservableCounter("kmsg.messages.delivered", () => counts.Delivered, "{envelope}", "Envelopes sent to their device.");
        meter.CreateObservableCounter(
            "kmsg.messages.acknowledged",
            () => counts.AcknowledgedUnwritten + Volatile.Read(ref _acknowledgedWritten),
            "{envelope}",
            "Envelopes that their device has taken over.");
        meter.CreateObservableCounter<long>(
            "kmsg.push_grace.envelopes",
            () =>
            [
                new Measurement<long>(counts.AcknowledgedUnwritten, new KeyValuePair<string, object?>("outcome", "acknowledged")),
                new Measurement<long>(counts.Overdue, new KeyValuePair<string, object?>("outcome", "stored")),
            ],
            "{envelope}",
            "Envelopes that were pushed before they were written: acknowledged in time, or stored after all.");
        _expired = new ClosedCounter(meter, "kmsg.messages.expired", "{envelope}", "Envelopes that nobody fetched in time.");
        _prekeysTaken = new ClosedCounter(meter, "kmsg.prekeys.taken", "{key}", "One-time prekeys that were handed out.");
        _prekeysMissed = new ClosedCounter(
            meter, "kmsg.prekeys.missed", "{key}", "One-time prekeys that were asked for when a device had none left.");
    }

    /// <summary>For the one writer: these are on disk.</summary>
    public void Committed(IReadOnlyList<StoreWrite> writes)
    {
        for (var i = 0; i < writes.Count; i++)
        {
            switch (writes[i])
            {
                case AcknowledgeWrite acknowledge:
                    Volatile.Write(ref _acknowledgedWritten, _acknowledgedWritten + acknowledge.Result.Count);
                    break;
                case SweepWrite sweep:
                    _expired.Add(count: sweep.Result.Sum(static swept => swept.Count));
                    break;
                case TakePrekeysWrite { Result: { } taken }:
                    _prekeysTaken.Add(count: taken.Sum(static device => device.OneTimePrekeys.Count));
                    _prekeysMissed.Add(count: taken.Sum(static device => OneTimePrekeyKinds - device.OneTimePrekeys.Count));
                    break;
            }
        }
    }
}
