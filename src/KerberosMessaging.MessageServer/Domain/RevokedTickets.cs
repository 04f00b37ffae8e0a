using System.Collections.Concurrent;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// What the auth server has revoked and tickets could still claim. It lives in memory: after a start the auth server tells
/// all of it again.
/// </summary>
internal sealed class RevokedTickets(TimeProvider time)
{
    /// <summary>No service ticket lives longer than a day: the auth server's options allow no more.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromDays(1) + TicketTimes.ServerClockSkew;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<SessionId, DateTimeOffset> _sessions = new();
    private readonly ConcurrentDictionary<DeviceAddress, DateTimeOffset> _devices = new();
    private readonly ConcurrentDictionary<ClientId, DateTimeOffset> _clients = new();
    private DateTimeOffset _sweepAt;

    /// <summary>How many entries are remembered.</summary>
    public int Count => _sessions.Count + _devices.Count + _clients.Count;

    /// <summary>Whether the tickets of a login are refused.</summary>
    public bool Covers(TicketLogin login) =>
        _sessions.ContainsKey(login.Session)
        || (_devices.TryGetValue(login.Device, out var device) && login.AuthenticatedAt <= device)
        || (_clients.TryGetValue(login.Device.Client, out var client) && login.AuthenticatedAt <= client);

    /// <summary>Whether a device was removed not long ago.</summary>
    public bool IsRemoved(DeviceAddress device) => _devices.ContainsKey(device);

    /// <summary>Refuses the tickets of a session.</summary>
    public void AddSession(SessionId session, DateTimeOffset at) => Add(_sessions, session, at);

    /// <summary>Refuses the tickets of a device that were authenticated at or before a moment.</summary>
    public void AddDevice(DeviceAddress device, DateTimeOffset at) => Add(_devices, device, at);

    /// <summary>Refuses the tickets of a client that were authenticated at or before a moment.</summary>
    public void AddClient(ClientId client, DateTimeOffset at) => Add(_clients, client, at);

    private void Add<TKey>(ConcurrentDictionary<TKey, DateTimeOffset> entries, TKey key, DateTimeOffset at)
        where TKey : notnull
    {
        // The later one covers the earlier one too, whichever comes last.
        entries.AddOrUpdate(key, at, (_, before) => at > before ? at : before);
        Sweep();
    }

    // Only adding makes it grow, so only adding sweeps.
    private void Sweep()
    {
        var now = time.GetUtcNow();
        if (now < _sweepAt)
        {
            return;
        }

        _sweepAt = now + SweepInterval;
        Forget(_sessions, now - Remembered);
        Forget(_devices, now - Remembered);
        Forget(_clients, now - Remembered);
    }

    private static void Forget<TKey>(ConcurrentDictionary<TKey, DateTimeOffset> entries, DateTimeOffset before)
        where TKey : notnull
    {
        foreach (var entry in entries)
        {
            if (entry.Value < before)
            {
                entries.TryRemove(entry);
            }
        }
    }
}
