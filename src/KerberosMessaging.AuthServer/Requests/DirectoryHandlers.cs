using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Requests;

internal sealed class ListServersHandler(MessageServers servers) : IRequestHandler<ListServersRequest>
{
    public ValueTask<HandlerReply> HandleAsync(
        ListServersRequest request,
        WireConnection connection,
        CancellationToken cancellationToken) =>
        ValueTask.FromResult(HandlerReply.Of(new ServerList([.. servers.Active
            .Take(ProtocolLimits.ServersPerRealm)
            .Select(static server => new ServerEntry(server.Id, server.Name, server.Host, server.Port, server.SigningKey))])));
}

internal sealed class LookUpClientHandler(ClientDirectory directory) : IRequestHandler<LookUpClientRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        LookUpClientRequest request,
        WireConnection connection,
        CancellationToken cancellationToken) =>
        await directory.FindAsync(request.Name, cancellationToken) is { } found
            ? HandlerReply.Of(new ClientFound(found.Client, found.Name, found.HomeServer, [.. found.Devices
                .Select(static device => new FoundDevice(device.Certificate, device.Link))]))
            : HandlerReply.Refuse(ProtocolError.UnknownClient);
}
