using System.Threading.RateLimiting;

namespace KerberosMessaging.Hosting.Wire.Limits;

/// <summary>
/// Token buckets for each of many keys. A bucket that was full for 10 s is forgotten: it would say what a new one says.
/// They go by the system's own clock and are filled ten times a second.
/// </summary>
internal sealed class TokenBuckets<TKey> : IDisposable
    where TKey : notnull
{
    private readonly int _burst;
    private readonly PartitionedRateLimiter<TKey> _buckets;

    public TokenBuckets(int perSecond, int burst)
    {
        _burst = burst;

        // One delegate for all keys, which GetTokenBucketLimiter would make anew for each request.
        var bucket = TokenBucket.Factory<TKey>(perSecond, burst);
        _buckets = PartitionedRateLimiter.Create<TKey, TKey>(key => new RateLimitPartition<TKey>(key, bucket));
    }

    /// <summary>Takes so many tokens, or all of a bucket that is not larger.</summary>
    public bool TryTake(TKey key, int tokens, out TimeSpan retryAfter)
    {
        try
        {
            using var lease = _buckets.AttemptAcquire(key, Math.Min(tokens, _burst));
            return TokenBucket.IsTaken(lease, out retryAfter);
        }
        catch (ObjectDisposedException)
        {
            // The server has stopped; what is still on its way is about to be cut off.
            retryAfter = default;
            return true;
        }
    }

    public void Dispose() => _buckets.Dispose();
}

/// <summary>One token bucket.</summary>
internal static class TokenBucket
{
    // Buckets are filled ten times a second: sooner than this nothing changes.
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(100);

    public static TokenBucketRateLimiter Make(int perSecond, int burst) => new(new TokenBucketRateLimiterOptions
    {
        TokenLimit = burst,
        TokensPerPeriod = 1,

        // It is filled by the time that has passed, so that the period matters only for how long a refused peer is told to wait.
        ReplenishmentPeriod = TimeSpan.FromSeconds(1) / perSecond,
        AutoReplenishment = false,
        QueueLimit = 0,
    });

    public static Func<TKey, RateLimiter> Factory<TKey>(int perSecond, int burst) => _ => Make(perSecond, burst);

    public static bool IsTaken(RateLimitLease lease, out TimeSpan retryAfter)
    {
        retryAfter = default;
        if (lease.IsAcquired)
        {
            return true;
        }

        lease.TryGetMetadata(MetadataName.RetryAfter, out retryAfter);
        retryAfter = retryAfter > ShortestWait ? retryAfter : ShortestWait;
        return false;
    }
}
