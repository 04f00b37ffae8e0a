using KerberosMessaging.Protocol;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>Handles one kind of request. A refusal is a reply, not an exception.</summary>
/// <typeparam name="TRequest">The request.</typeparam>
public interface IRequestHandler<in TRequest>
    where TRequest : IWireMessage
{
    /// <summary>Handles a request.</summary>
    /// <param name="request">The request, wholly read and well-formed.</param>
    /// <param name="connection">The connection that it came on.</param>
    /// <param name="cancellationToken">Cancelled when the connection ends.</param>
    ValueTask<HandlerReply> HandleAsync(TRequest request, WireConnection connection, CancellationToken cancellationToken);
}
