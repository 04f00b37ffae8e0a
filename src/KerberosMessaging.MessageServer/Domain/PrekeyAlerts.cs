using System.Collections.Concurrent;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Tells devices that few of their one-time prekeys are left, down the connection that they receive on. One that is away asks
/// when it comes.
/// </summary>
internal sealed class PrekeyAlerts(Presence presence, TimeProvider time)
{
    // A device needs longer than this to make new ones; somebody who fetches on and on must not make it work.
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<SessionId, Owner> _owners = new();

    /// <summary>Lets a connection be told.</summary>
    /// <param name="session">The channel's session id.</param>
    /// <param name="tell">Tells it; must neither throw nor wait.</param>
    public void Attach(SessionId session, Action<PrekeyStock> tell) => _owners[session] = new Owner(tell);

    /// <summary>Forgets a connection that has ended.</summary>
    public void Detach(SessionId session) => _owners.TryRemove(session, out _);

    /// <summary>Tells a device, if it is there and was not told a moment ago.</summary>
    public void Tell(DeviceAddress device, PrekeyStock stock)
    {
        if (presence.Find(device) is { } connection
            && _owners.TryGetValue(connection.Session, out var owner)
            && owner.TryBegin(time.GetUtcNow()))
        {
            owner.Tell(stock);
        }
    }

    private sealed class Owner(Action<PrekeyStock> tell)
    {
        private long _nextAt;

        public Action<PrekeyStock> Tell => tell;

        public bool TryBegin(DateTimeOffset now)
        {
            var nextAt = Volatile.Read(ref _nextAt);
            return now.UtcTicks >= nextAt
                && Interlocked.CompareExchange(ref _nextAt, (now + Pause).UtcTicks, nextAt) == nextAt;
        }
    }
}
