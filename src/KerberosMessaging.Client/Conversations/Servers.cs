using System.Collections.Concurrent;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Conversations;

/// <summary>The message servers of the realm, by id, each connected at most once.</summary>
internal sealed class Servers(AuthSession auth, MessagingOptions options, ServerClock clock, PushHandler onPush)
    : IMessageServers, IAsyncDisposable
{
    private readonly ConcurrentDictionary<ServerId, MessageServerConnection> _connections = new();

    public async Task<MessageServerConnection> GetAsync(ServerId server, CancellationToken cancellationToken)
    {
        if (_connections.TryGetValue(server, out var known))
        {
            return known;
        }

        var list = await auth.RequestAsync<ServerList>(new ListServersRequest(), cancellationToken).ConfigureAwait(false);
        var entry = list.Servers.FirstOrDefault(entry => entry.Server == server)
            ?? throw new MessagingException(MessagingFailure.Unreachable, "the realm does not list the message server that is needed");

        return Get(entry);
    }

    async Task<IMessageServer> IMessageServers.GetAsync(ServerId server, CancellationToken cancellationToken) =>
        await GetAsync(server, cancellationToken).ConfigureAwait(false);

    // A connection is opened only when it is used, so one that loses the race to be added costs nothing.
    public MessageServerConnection Get(ServerEntry entry) =>
        _connections.GetOrAdd(entry.Server, new MessageServerConnection(entry, auth, options, clock, onPush));

    /// <summary>Closes all connections; those that are used again are opened again, if there is a login.</summary>
    public Task DisconnectAsync() =>
        Task.WhenAll(_connections.Values.Select(static connection => connection.DisconnectAsync()));

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections.Values)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }
}
