using System.Collections.Concurrent;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>The open connections of this process, by their channel's session id.</summary>
public sealed class ConnectionRegistry
{
    private readonly ConcurrentDictionary<SessionId, WireConnection> _connections = new();
    private volatile TaskCompletionSource? _emptied;

    /// <summary>How many connections are open.</summary>
    public int Count => _connections.Count;

    /// <summary>The open connections, in no order; one that comes or goes meanwhile may be among them or not. Copies nothing.</summary>
    public IEnumerable<WireConnection> All => _connections.Select(static entry => entry.Value);

    /// <summary>An open connection; null when there is none with that id.</summary>
    /// <param name="session">The channel's session id.</param>
    public WireConnection? Find(SessionId session) => _connections.GetValueOrDefault(session);

    internal void Add(WireConnection connection) => _connections[connection.Session] = connection;

    internal void Remove(WireConnection connection)
    {
        _connections.TryRemove(connection.Session, out _);
        CompleteIfEmpty(_emptied);
    }

    /// <summary>Completes as soon as no connection is open. One waiter at a time.</summary>
    internal Task WhenEmptyAsync()
    {
        var emptied = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _emptied = emptied;
        CompleteIfEmpty(emptied);
        return emptied.Task;
    }

    private void CompleteIfEmpty(TaskCompletionSource? emptied)
    {
        if (emptied is not null && _connections.IsEmpty)
        {
            emptied.TrySetResult();
        }
    }
}
