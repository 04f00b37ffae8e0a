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
            || await servers.ArriveAsync(request.Server, known.SigningKey, address, connection.ToOrigin(), cancellationToken) is not { } server)
        {
            return HandlerReply.Refuse(ProtocolError.EnrolmentRefused);
        }

        connection.SetState(new ProvenKey(server.SigningKey));
        connection.SignInServer(request.Server);
        return HandlerReply.Of(ServerKeysOnWire.Of(server, keys));
    }
}

internal sealed class FetchServerKeysHandler(MessageServers servers, RealmKeys keys) : IRequestHandler<FetchServerKeysRequest>
{
    public ValueTask<HandlerReply> HandleAsync(
        FetchServerKeysRequest request,
        WireConnection connection,
        CancellationToken cancellationToken) => ValueTask.FromResult(connection.FindServer(servers) is { } server
            ? HandlerReply.Of(ServerKeysOnWire.Of(server, keys))
            : HandlerReply.Refuse(ProtocolError.EnrolmentRefused));
}

internal sealed class ConfirmServerKeysHandler(MessageServers servers) : IRequestHandler<ConfirmServerKeysRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        ConfirmServerKeysRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        if (connection.FindServer(servers) is not { } server)
        {
            return HandlerReply.Refuse(ProtocolError.EnrolmentRefused);
        }

        return await servers.ConfirmAsync(
            server.Id, server.SigningKey, request.ServiceKeyVersion, request.TicketSigningKeyVersion, cancellationToken)
            ? HandlerReply.Of(new Done())
            : HandlerReply.Refuse(ProtocolError.Unexpected);
    }
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
        if (connection.FindServer(servers) is not { } server)
        {
            return ValueTask.FromResult(HandlerReply.Refuse(ProtocolError.EnrolmentRefused));
        }

        if (connection.GetState<ServerSubscription>() is not null)
        {
            return ValueTask.FromResult(HandlerReply.Refuse(ProtocolError.Unexpected));
        }

        var subscription = new ServerSubscription(connection, server, revocations, servers, keys, logger);
        connection.SetState(subscription);
        var after = (long)Math.Min(request.After, long.MaxValue);

        // The answer first: whoever reads it knows which push is the first.
        return ValueTask.FromResult(HandlerReply.Then(
            new RevocationsSubscribed((ulong)revocations.Newest), () => subscription.Start(after)));
    }
}

/// <summary>The key that a message server proved on a channel.</summary>
internal sealed record ProvenKey(byte[] SigningKey);

internal static class ServerPeer
{
    /// <summary>
    /// The message server at the other end; null when it was disabled or has enrolled anew with another key since it proved
    /// this one: the channel is then a stranger's.
    /// </summary>
    public static MessageServer? FindServer(this WireConnection connection, MessageServers servers) =>
        servers.Find(connection.Server!.Value) is { } server
        && server.SigningKey.AsSpan().SequenceEqual(connection.GetState<ProvenKey>()!.SigningKey)
            ? server
            : null;
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
