using System.Numerics;

namespace KerberosMessaging.Benchmarks.Relay;

/// <summary>
/// Counts times in buckets whose width grows with the time: each is told to within a hundredth of itself, from a nanosecond to
/// minutes, at the same small cost however many there are. Not safe for use by several threads at once.
/// </summary>
internal sealed class LatencyHistogram
{
    // Buckets for each doubling of the time: 64, so a bucket is 1/64 wide at most, and its middle at most 1/128 off.
    private const int Precision = 6;
    private const int PerDoubling = 1 << Precision;
    private const int LargestLog = 40;

    private readonly long[] _counts = new long[(LargestLog - Precision + 2) * PerDoubling];

    /// <summary>How many times there are.</summary>
    public long Count { get; private set; }

    /// <summary>Adds a time.</summary>
    /// <param name="nanoseconds">The time; one over 18 minutes counts as that.</param>
    public void Add(long nanoseconds)
    {
        var value = (ulong)Math.Clamp(nanoseconds, 0, (1L << (LargestLog + 1)) - 1);
        var doublings = Math.Max(0, BitOperations.Log2(value | 1) - Precision);
        _counts[(doublings * PerDoubling) + (int)(value >> doublings)]++;
        Count++;
    }

    /// <summary>Adds all times of another histogram.</summary>
    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
    }

    /// <summary>The time, in microseconds, that a part of all times do not exceed; null when there are none.</summary>
    /// <param name="part">0 to 1.</param>
    public double? Percentile(double part)
    {
        if (Count == 0)
        {
            return null;
        }

        var rest = Math.Max(1, (long)Math.Ceiling(part * Count));
        var bucket = 0;
        while ((rest -= _counts[bucket]) > 0)
        {
            bucket++;
        }

        var doublings = Math.Max(0, (bucket / PerDoubling) - 1);
        var lowest = (double)((long)(bucket - (doublings * PerDoubling)) << doublings);
        return (lowest + ((1L << doublings) / 2.0)) / 1_000;
    }
}
