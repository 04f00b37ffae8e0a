using System.Threading.RateLimiting;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Hosting.Wire.Limits;

/// <summary>
/// The clients with a request limit of their own. While there is none, a request costs the look at a field; otherwise one look-up in
/// a table that is never changed: a change makes another.
/// </summary>
public sealed class ClientLimits(TimeProvider time)
{
    private readonly Lock _lock = new();
    private Dictionary<ClientId, Entry>? _entries;

    /// <summary>The limits that have not expired.</summary>
    public IReadOnlyList<ClientLimit> All =>
        [.. (Volatile.Read(ref _entries) ?? []).Select(static pair => pair.Value.Limit).Where(limit => limit.ExpiresAt > time.GetUtcNow())];

    /// <summary>A client's limit; null when it has none of its own.</summary>
    /// <param name="client">The client.</param>
    public ClientLimit? Find(ClientId client) => FindEntry(client)?.Limit;

    /// <summary>Sets a client's limit, from its next request on; it starts with its whole burst.</summary>
    /// <param name="limit">The limit.</param>
    public void Set(ClientLimit limit)
    {
        ArgumentNullException.ThrowIfNull(limit);
        Change(entries => entries[limit.Client] = new Entry(limit, TokenBucket.Make(limit.RequestsPerSecond, limit.Burst)));
    }

    /// <summary>Lets the configured limit hold for a client again.</summary>
    /// <param name="client">The client.</param>
    public void Remove(ClientId client) => Change(entries => entries.Remove(client));

    /// <summary>Takes so many tokens, or all of a bucket that is not larger.</summary>
    /// <returns>Null when the client has no limit of its own.</returns>
    internal bool? TryTake(ClientId client, int tokens, out TimeSpan retryAfter)
    {
        if (FindEntry(client) is not { } entry)
        {
            retryAfter = default;
            return null;
        }

        entry.Bucket.TryReplenish();
        using var lease = entry.Bucket.AttemptAcquire(Math.Min(tokens, entry.Limit.Burst));
        return TokenBucket.IsTaken(lease, out retryAfter);
    }

    private Entry? FindEntry(ClientId client) =>
        Volatile.Read(ref _entries) is { } entries && entries.TryGetValue(client, out var entry) && entry.Limit.ExpiresAt > time.GetUtcNow()
            ? entry
            : null;

    private void Change(Action<Dictionary<ClientId, Entry>> change)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var entries = new Dictionary<ClientId, Entry>((_entries ?? []).Where(pair => pair.Value.Limit.ExpiresAt > now));
            change(entries);
            Volatile.Write(ref _entries, entries.Count == 0 ? null : entries);
        }
    }

    // A bucket that fills by the time that has passed has no timer, and needs no disposal.
    private sealed record Entry(ClientLimit Limit, TokenBucketRateLimiter Bucket);
}
