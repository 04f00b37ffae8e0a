using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>Gives the published prekeys of a client's devices.</summary>
internal sealed class FetchPrekeysHandler(IMailboxStore store) : IRequestHandler<FetchPrekeysRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        FetchPrekeysRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        var found = await store.ReadPrekeysAsync(request.Client, request.Devices);
        return found is null
            ? HandlerReply.Refuse(ProtocolError.UnknownClient)
            : HandlerReply.Of(new PrekeysReply(
                found.Select(static prekeys => new DevicePrekeyBundle(prekeys.Device, prekeys.Bundle)).ToArray()));
    }
}
