using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.Hosting.Tests.Wire;

/// <summary>Adds up what one server measures, by instrument and the values of its tags.</summary>
internal sealed class MeterRecorder : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Dictionary<string, double> _sums = [];
    private readonly Lock _lock = new();

    public MeterRecorder(WireServer server)
    {
        // Tests run side by side: each server has a factory of its own.
        var factory = server.App.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "KerberosMessaging" && ReferenceEquals(instrument.Meter.Scope, factory))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>The sum under a name such as <c>kmsg.frames.received LookUpClient Answered</c>.</summary>
    public double this[string name]
    {
        get
        {
            _listener.RecordObservableInstruments();
            lock (_lock)
            {
                return _sums.GetValueOrDefault(name);
            }
        }
    }

    public IReadOnlyCollection<string> Names
    {
        get
        {
            lock (_lock)
            {
                return [.. _sums.Keys];
            }
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var name = instrument.Name;
        foreach (var tag in tags)
        {
            name += $" {tag.Value}";
        }

        lock (_lock)
        {
            // What is observed is the sum.
            _sums[name] = instrument.IsObservable ? value : _sums.GetValueOrDefault(name) + value;
        }
    }
}
