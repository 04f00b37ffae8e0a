using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Requests;

internal sealed class RegisterServerHandler(MessageServers servers, RealmKeys keys) : IRequestHandler<RegisterServerRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        RegisterServerRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        var address = new ServerAddress(request.Name, request.Host, request.Port);
        return address.IsAcceptable
            && ServerProof.IsEnrolmentSigned(request.Signature, request.SigningKey, connection.ChannelBinding.Span, request.Token)
            && await servers.EnrolAsync(request.Token, address, request.SigningKey, connection.ToOrigin(), cancellationToken) is { } server
            ? HandlerReply.Of(new ServerRegistered(server.Id, ServerKeysOnWire.Of(server, keys)))
            : HandlerReply.Refuse(ProtocolError.EnrolmentRefused);
    }
}

internal sealed class AuthenticateServerHandler(MessageServers servers, RealmKeys keys) : IRequestHandler<AuthenticateServerRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        AuthenticateServerRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        var address = new ServerAddress(request.Name, request.Host, request.Port);
        if (!address.IsAcceptable
            || servers.Find(request.Server) is not { } known
            || !ServerProof.IsAuthenticationSigned(
                request.Signature, known.SigningKey, connection.ChannelBinding.Span, request.Server, request.Name, request.Host, request.Port)
            || await servers.ArriveAsync(request.Server, address, connection.ToOrigin(), cancellationToken) is not { } server)
        {
            return HandlerReply.Refuse(ProtocolError.EnrolmentRefused);
        }

        connection.SignInServer(request.Server);
        return HandlerReply.Of(ServerKeysOnWire.Of(server, keys));
    }
}

internal sealed class FetchServerKeysHandler(MessageServers servers, RealmKeys keys) : IRequestHandler<FetchServerKeysRequest>
{
    public ValueTask<HandlerReply> HandleAsync(
        FetchServerKeysRequest request,
        WireConnection connection,
        CancellationToken cancellationToken) => ValueTask.FromResult(servers.Find(connection.Server!.Value) is { } server
            ? HandlerReply.Of(ServerKeysOnWire.Of(server, keys))
            : HandlerReply.Refuse(ProtocolError.EnrolmentRefused));
}

internal sealed class ConfirmServerKeysHandler(MessageServers servers) : IRequestHandler<ConfirmServerKeysRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        ConfirmServerKeysRequest request,
        WireConnection connection,
        CancellationToken cancellationToken) =>
        await servers.ConfirmAsync(
            connection.Server!.Value, request.ServiceKeyVersion, request.TicketSigningKeyVersion, cancellationToken)
            ? HandlerReply.Of(new Done())
            : HandlerReply.Refuse(ProtocolError.Unexpected);
}

/// <summary>Sends a message server the revocation log from its position on, and wakes it when its keys change.</summary>
internal sealed class SubscribeRevocationsHandler(
    RevocationLog revocations, MessageServers servers, RealmKeys keys, ILogger<ServerSubscription> logger)
    : IRequestHandler<SubscribeRevocationsRequest>
{
    public ValueTask<HandlerReply> HandleAsync(
        SubscribeRevocationsRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        if (connection.GetState<ServerSubscription>() is not null)
        {
            return ValueTask.FromResult(HandlerReply.Refuse(ProtocolError.Unexpected));
        }

        var after = (long)Math.Min(request.After, long.MaxValue);
        connection.SetState(ServerSubscription.Start(connection, after, revocations, servers, keys, logger));
        return ValueTask.FromResult(HandlerReply.Of(new RevocationsSubscribed((ulong)revocations.Newest)));
    }
}

internal static class ServerKeysOnWire
{
    /// <summary>The newest versions, as many as the wire has room for.</summary>
    public static ServerKeys Of(MessageServer server, RealmKeys keys) => new(
        keys.Realm.PublicKey.ToArray(),
        [.. server.Keys
            .OrderByDescending(static key => key.Version)
            .Take(ProtocolLimits.KeyVersions)
            .Select(static key => new VersionedKey(key.Version, key.Secret.Span.ToArray()))],
        [.. keys.TicketSigning
            .OrderByDescending(static key => key.Key)
            .Take(ProtocolLimits.KeyVersions)
            .Select(static key => new VersionedKey(key.Key, key.Value.PublicKey.ToArray()))]);
}
