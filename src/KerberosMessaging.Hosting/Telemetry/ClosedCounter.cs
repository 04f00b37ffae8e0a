using System.Diagnostics.Metrics;

namespace KerberosMessaging.Hosting.Telemetry;

/// <summary>
/// A counter with one tag, all values of which are known. Each is shown from the beginning, with 0: an alert on what never happened
/// before could not see its first time otherwise. It is a number that is read when somebody asks, so counting costs the same whether
/// or not anybody does.
/// </summary>
public sealed class ClosedCounter
{
    private readonly string? _tag;
    private readonly string[] _values;
    private readonly long[] _counts;

    /// <summary>Makes a counter with a tag.</summary>
    /// <param name="meter">The server's.</param>
    /// <param name="name">Its name.</param>
    /// <param name="unit">Its unit, as UCUM writes it.</param>
    /// <param name="description">What is counted.</param>
    /// <param name="tag">The tag's name; null for none.</param>
    /// <param name="values">All values of the tag.</param>
    public ClosedCounter(Meter meter, string name, string unit, string description, string? tag = null, params string[] values)
    {
        ArgumentNullException.ThrowIfNull(meter);
        ArgumentNullException.ThrowIfNull(values);
        _tag = tag;
        _values = values;
        _counts = new long[tag is null ? 1 : values.Length];
        meter.CreateObservableCounter(name, Read, unit, description);
    }

    /// <summary>Counts.</summary>
    /// <param name="value">The place of the tag's value among all; 0 without a tag.</param>
    /// <param name="count">How many.</param>
    public void Add(int value = 0, long count = 1) => Interlocked.Add(ref _counts[value], count);

    private Measurement<long>[] Read()
    {
        var read = new Measurement<long>[_counts.Length];
        for (var i = 0; i < read.Length; i++)
        {
            var count = Volatile.Read(ref _counts[i]);
            read[i] = _tag is null ? new Measurement<long>(count) : new Measurement<long>(count, new KeyValuePair<string, object?>(_tag, _values[i]));
        }

        return read;
    }
}
