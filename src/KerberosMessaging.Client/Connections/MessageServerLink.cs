using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client.Connections;

/// <summary>
/// One connection to a message server, for what has a meaning on it alone: credit, and acknowledgements of what came down it.
/// </summary>
internal sealed class MessageServerLink(string serverText)
{
    private RequestConnection? _connection;

    /// <summary>The connection; set before anything but notices can come down it.</summary>
    public RequestConnection Connection
    {
        get => Volatile.Read(ref _connection)
            ?? throw new ChannelException(ChannelFailure.ConnectionLost, "The connection is not open yet.");
        set => Volatile.Write(ref _connection, value);
    }

    /// <summary>Completes with the reason when the connection has ended.</summary>
    public Task<ChannelException> Ended => Connection.Ended;

    /// <summary>Sends a request on this connection; it fails when the connection has ended, and opens no other.</summary>
    public Task<TReply> RequestAsync<TReply>(IWireMessage request, CancellationToken cancellationToken)
        where TReply : IWireMessage<TReply> => Failures.TranslateAsync(
            serverText, () => Connection.RequestAsync<TReply>(request, cancellationToken));
}
