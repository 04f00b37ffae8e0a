using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

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
            ? HandlerReply.Of(new ClientFound(found.Client, found.Name, found.HomeServer, found.Certificates))
            : HandlerReply.Refuse(ProtocolError.UnknownClient);
}

internal sealed class RegisterServerHandler(
    MessageServers servers,
    AuthDbContext database,
    RealmKeys keys,
    TimeProvider time) : IRequestHandler<RegisterServerRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        RegisterServerRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        if (request.Name.Length == 0
            || request.Port == 0
            || Uri.CheckHostName(request.Host) == UriHostNameType.Unknown
            || !ServerProof.IsEnrolmentSigned(request.Signature, request.SigningKey, connection.ChannelBinding.Span, request.Token))
        {
            return HandlerReply.Refuse(ProtocolError.EnrolmentRefused);
        }

        var server = await servers.EnrolAsync(
            database, request.Token, request.Name, request.Host, request.Port, request.SigningKey, time.GetUtcNow(), cancellationToken);
        if (server is null)
        {
            return HandlerReply.Refuse(ProtocolError.EnrolmentRefused);
        }

        var realmKey = keys.Signing.PublicKey.ToArray();
        return HandlerReply.Of(new ServerRegistered(server.Id, new ServerKeys(
            realmKey,
            [new VersionedKey(server.KeyVersion, server.ServiceKey.Span.ToArray())],
            [new VersionedKey(RealmKeys.TicketSigningVersion, realmKey)])));
    }
}
