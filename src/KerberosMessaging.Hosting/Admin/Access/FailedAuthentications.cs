using KerberosMessaging.Hosting.Wire.Limits;

namespace KerberosMessaging.Hosting.Admin.Access;

/// <summary>
/// Counts failed authentications by address block: ten at once, one more every six seconds. Tokens cannot be guessed; this keeps
/// whoever tries from filling the audit log.
/// </summary>
internal sealed class FailedAuthentications(TimeProvider time)
{
    public const int Burst = 10;

    // Addresses whose buckets are full again are forgotten when so many are remembered.
    private const int MaxRemembered = 10_000;

    public static readonly TimeSpan Refill = TimeSpan.FromSeconds(6);

    private readonly Lock _lock = new();
    private readonly Dictionary<AddressBlock, Bucket> _buckets = [];
    private readonly HashSet<(AddressBlock Block, Guid Token)> _known = [];

    /// <summary>Whether a try from there is looked at; if not, whether the refusals begin with this one.</summary>
    public bool MayTry(AddressBlock block, out bool isFirst, out TimeSpan retryAfter)
    {
        lock (_lock)
        {
            (isFirst, retryAfter) = (false, default);
            if (!_buckets.TryGetValue(block, out var bucket))
            {
                return true;
            }

            var missing = Missing(bucket);
            if (missing <= Burst - 1)
            {
                return true;
            }

            isFirst = !bucket.IsBlocked;
            bucket.IsBlocked = true;
            retryAfter = (missing - (Burst - 1)) * Refill;
            return false;
        }
    }

    /// <summary>A token was wrong.</summary>
    public void Count(AddressBlock block)
    {
        lock (_lock)
        {
            if (_buckets.Count >= MaxRemembered)
            {
                Forget();
            }

            var missing = _buckets.TryGetValue(block, out var bucket) ? Missing(bucket) : 0;
            _buckets[block] = new Bucket(Math.Min(missing + 1, Burst), time.GetTimestamp()) { IsBlocked = missing > 0 && bucket?.IsBlocked == true };
        }
    }

    /// <summary>A token was right: from there it is taken even while others are not.</summary>
    public void Remember(AddressBlock block, Guid token)
    {
        lock (_lock)
        {
            if (_known.Count >= MaxRemembered)
            {
                _known.Clear();
            }

            _known.Add((block, token));
        }
    }

    public bool IsKnown(AddressBlock block, Guid token)
    {
        lock (_lock)
        {
            return _known.Contains((block, token));
        }
    }

    private double Missing(Bucket bucket) => Math.Max(0, bucket.Missing - (time.GetElapsedTime(bucket.At) / Refill));

    private void Forget()
    {
        foreach (var block in _buckets.Where(pair => Missing(pair.Value) == 0).Select(static pair => pair.Key).ToArray())
        {
            _buckets.Remove(block);
        }

        // More at once than anybody has by mistake: the oldest half gives way.
        if (_buckets.Count >= MaxRemembered)
        {
            foreach (var block in _buckets.OrderBy(static pair => pair.Value.At).Take(MaxRemembered / 2).Select(static pair => pair.Key).ToArray())
            {
                _buckets.Remove(block);
            }
        }
    }

    private sealed class Bucket(double missing, long at)
    {
        public double Missing => missing;

        public long At => at;

        public bool IsBlocked { get; set; }
    }
}
