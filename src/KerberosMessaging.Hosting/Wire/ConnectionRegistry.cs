using System.Collections.Concurrent;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>The open connections of this process, by their channel's session id.</summary>
public sealed class ConnectionRegistry
{
    private readonly ConcurrentDictionary<SessionId, WireConnection> _connections = new();

    /// <summary>How many connections are open.</summary>
    public int Count => _connections.Count;

    /// <summary>The open connections at this moment, in no order.</summary>
    public IEnumerable<WireConnection> All => _connections.Values;

    internal void Add(WireConnection connection) => _connections[connection.Session] = connection;

    internal void Remove(WireConnection connection) => _connections.TryRemove(connection.Session, out _);
}
