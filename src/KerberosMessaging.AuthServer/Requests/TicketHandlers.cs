using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Requests;

internal sealed class ServiceTicketHandler(TicketService tickets, MessageServers servers) : IRequestHandler<ServiceTicketRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        ServiceTicketRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        using var verified = await tickets.VerifyAsync(
            request.Ticket, request.Authenticator, ServiceTicketRequest.Code, connection.ChannelBinding, cancellationToken);
        if (verified is null)
        {
            return HandlerReply.Refuse(ProtocolError.TicketRefused);
        }

        if (servers.Find(request.Server) is not { } server)
        {
            return HandlerReply.Refuse(ProtocolError.UnknownServer);
        }

        var grant = tickets.GrantService(verified, server);
        return HandlerReply.Of(new ServiceTicketReply(grant.Ticket, grant.SealedPart));
    }
}

internal sealed class RenewTicketHandler(TicketService tickets) : IRequestHandler<RenewTicketRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        RenewTicketRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        using var verified = await tickets.VerifyAsync(
            request.Ticket, request.Authenticator, RenewTicketRequest.Code, connection.ChannelBinding, cancellationToken);
        return verified is not null && await tickets.RenewAsync(verified, cancellationToken) is { } grant
            ? HandlerReply.Of(new TicketGranted(grant.Ticket, grant.SealedPart))
            : HandlerReply.Refuse(ProtocolError.TicketRefused);
    }
}

/// <summary>The AP exchange with the auth server itself: the ticket-granting ticket signs a channel in.</summary>
internal sealed class PresentTicketHandler(TicketService tickets, TimeProvider time) : IRequestHandler<PresentTicketRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        PresentTicketRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        using var verified = await tickets.VerifyAsync(
            request.Ticket, request.Authenticator, PresentTicketRequest.Code, connection.ChannelBinding, cancellationToken);
        if (verified is null)
        {
            return HandlerReply.Refuse(ProtocolError.TicketRefused);
        }

        var body = verified.Body;
        var principal = new WirePrincipal(body.Session, body.Client, body.ClientName, body.Device, body.Times.EndsAt);
        if (connection.Principal is { } present && !present.MayBeReplacedBy(principal))
        {
            return HandlerReply.Refuse(ProtocolError.TicketRefused);
        }

        connection.SignIn(principal);
        var nonce = verified.Authenticator.Nonce;
        var proof = new ApReplyPart(nonce, time.GetUtcNow(), principal.EndsAt).Seal(body.SessionKey);
        return HandlerReply.ThenMix(new TicketAccepted(proof), SessionKey.ForChannel(body.SessionKey, nonce));
    }
}

internal sealed class LogoutHandler(TicketService tickets, ConnectionRegistry connections) : IRequestHandler<LogoutRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        LogoutRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        var principal = connection.Principal!;
        var reason = request.Everywhere ? "logout everywhere" : "logout";
        await tickets.RevokeAsync(principal.Session, principal.Client, request.Everywhere, reason, cancellationToken);
        connection.SignOut();
        foreach (var other in connections.All)
        {
            if (other.Principal is { } ended
                && ended.Client == principal.Client
                && (request.Everywhere || ended.Session == principal.Session))
            {
                other.Close(NoticeKind.SessionEnded);
            }
        }

        return HandlerReply.Of(new Done());
    }
}
