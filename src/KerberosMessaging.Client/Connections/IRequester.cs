using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client.Connections;

/// <summary>
/// A server that answers requests. What is said to it and done about the answers stands apart from connections, so that whole conversations
/// can be played through without any.
/// </summary>
internal interface IRequester
{
    /// <summary>Sends a request whose reply can be only of one kind.</summary>
    Task<TReply> RequestAsync<TReply>(IWireMessage request, CancellationToken cancellationToken)
        where TReply : IWireMessage<TReply>;
}

/// <summary>A message server.</summary>
internal interface IMessageServer : IRequester
{
    ServerId Id { get; }

    /// <summary>Sends a request whose reply can be of several kinds.</summary>
    Task<T> RequestAsync<T>(IWireMessage request, Func<WireReply, T> read, CancellationToken cancellationToken);
}

/// <summary>The message servers of the realm.</summary>
internal interface IMessageServers
{
    Task<IMessageServer> GetAsync(ServerId server, CancellationToken cancellationToken);
}
