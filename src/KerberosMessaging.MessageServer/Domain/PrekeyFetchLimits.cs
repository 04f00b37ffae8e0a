using System.Collections.Concurrent;
using KerberosMessaging.Protocol;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// A token bucket for each pair of clients, one that fetches prekeys and one whose prekeys they are: a stranger must not use up
/// somebody's one-time prekeys. It counts clients, not devices or connections, of which one can have many.
/// </summary>
internal sealed class PrekeyFetchLimits(IOptions<PrekeyOptions> options, TimeProvider time)
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(1);

    private readonly TimeSpan _interval = TimeSpan.FromSeconds(options.Value.FetchIntervalSeconds);
    private readonly TimeSpan _burst = TimeSpan.FromSeconds((long)options.Value.FetchIntervalSeconds * options.Value.FetchBurst);
    private readonly int _mostClients = options.Value.FetchedClients;
    private readonly ConcurrentDictionary<ClientId, Fetches> _requesters = new();
    private long _sweepAt;

    /// <summary>How many buckets are remembered.</summary>
    public int Count => _requesters.Sum(static requester => requester.Value.Count);

    /// <summary>Takes a token.</summary>
    /// <param name="requester">Who fetches.</param>
    /// <param name="client">From whom.</param>
    /// <returns>Zero when it may; otherwise when to try again.</returns>
    public TimeSpan Take(ClientId requester, ClientId client)
    {
        var now = time.GetUtcNow();
        Sweep(now);
        while (true)
        {
            var fetches = _requesters.GetOrAdd(requester, static _ => new Fetches());
            lock (fetches)
            {
                // It may have been swept away since.
                if (!fetches.IsForgotten)
                {
                    return Take(fetches, client, now);
                }
            }
        }
    }

    /// <summary>Gives a token back that was taken for nothing.</summary>
    public void Return(ClientId requester, ClientId client)
    {
        if (!_requesters.TryGetValue(requester, out var fetches))
        {
            return;
        }

        lock (fetches)
        {
            if (fetches.FullAt.TryGetValue(client, out var fullAt))
            {
                fetches.FullAt[client] = fullAt - _interval;
                fetches.Forget(client, time.GetUtcNow());
            }
        }
    }

    private TimeSpan Take(Fetches fetches, ClientId client, DateTimeOffset now)
    {
        if (!fetches.FullAt.TryGetValue(client, out var fullAt) && fetches.Count >= _mostClients)
        {
            fetches.Forget(now);
            if (fetches.Count >= _mostClients)
            {
                return fetches.FullAt.Values.Min() - now;
            }
        }

        // A bucket is the moment when it is full again: each token taken puts that off.
        var next = (fullAt > now ? fullAt : now) + _interval;
        var excess = next - now - _burst;
        if (excess > TimeSpan.Zero)
        {
            return excess;
        }

        fetches.FullAt[client] = next;
        return TimeSpan.Zero;
    }

    private void Sweep(DateTimeOffset now)
    {
        var due = Volatile.Read(ref _sweepAt);
        if (now.UtcTicks < due
            || Interlocked.CompareExchange(ref _sweepAt, (now + SweepInterval).UtcTicks, due) != due)
        {
            return;
        }

        foreach (var (requester, fetches) in _requesters)
        {
            lock (fetches)
            {
                fetches.Forget(now);
                if (fetches.Count == 0)
                {
                    fetches.IsForgotten = true;
                    _requesters.TryRemove(requester, out _);
                }
            }
        }
    }

    /// <summary>The buckets of one requester.</summary>
    private sealed class Fetches
    {
        public Dictionary<ClientId, DateTimeOffset> FullAt { get; } = [];

        public bool IsForgotten { get; set; }

        public int Count => FullAt.Count;

        /// <summary>Forgets buckets that are full: they say what new ones would.</summary>
        public void Forget(DateTimeOffset now)
        {
            foreach (var client in FullAt.Keys)
            {
                Forget(client, now);
            }
        }

        /// <summary>Forgets a bucket if it is full.</summary>
        public void Forget(ClientId client, DateTimeOffset now)
        {
            if (FullAt[client] <= now)
            {
                FullAt.Remove(client);
            }
        }
    }
}
