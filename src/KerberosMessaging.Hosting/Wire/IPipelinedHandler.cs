using KerberosMessaging.Protocol;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>
/// Handles a kind of request many of which may wait at once on one connection, such as for a group commit. One object handles
/// all requests.
/// </summary>
/// <typeparam name="TRequest">The request.</typeparam>
public interface IPipelinedHandler<in TRequest>
    where TRequest : IWireMessage
{
    /// <summary>
    /// Gives a request its place in whatever order it shares with others. The connection's next request is read when this is
    /// done; the answer may come later.
    /// </summary>
    /// <param name="request">The request, wholly read and well-formed.</param>
    /// <param name="call">Where the answer goes; it is answered once, from any thread.</param>
    /// <param name="cancellationToken">Cancelled when the connection ends.</param>
    ValueTask StartAsync(TRequest request, PipelinedCall call, CancellationToken cancellationToken);
}
