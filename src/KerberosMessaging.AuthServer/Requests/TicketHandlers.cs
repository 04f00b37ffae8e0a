using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Hosting.Telemetry;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Requests;

internal sealed class ServiceTicketHandler(
    TicketService tickets, MessageServers servers, AuthMetrics metrics, ServerTelemetry telemetry) : IRequestHandler<ServiceTicketRequest>
{
    public ValueTask<HandlerReply> HandleAsync(
        ServiceTicketRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        using var verified = tickets.Verify(
            request.Ticket, request.Authenticator, ServiceTicketRequest.Code, connection.ChannelBinding.Span);
        if (verified is null)
        {
            return ValueTask.FromResult(HandlerReply.Refuse(ProtocolError.TicketRefused));
        }

        if (servers.Find(request.Server) is not { } server || tickets.GrantService(verified, server) is not { } grant)
        {
            return ValueTask.FromResult(HandlerReply.Refuse(ProtocolError.UnknownServer));
        }

        metrics.ServiceTicketIssued();
        using var exchange = TicketTrace.Start(telemetry.Source, TicketTrace.TgsExchange, grant.Ticket);
        return ValueTask.FromResult(HandlerReply.Of(new ServiceTicketReply(grant.Ticket, grant.SealedPart)));
    }
}

internal sealed class RenewTicketHandler(TicketService tickets) : IRequestHandler<RenewTicketRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        RenewTicketRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        using var verified = tickets.Verify(
            request.Ticket, request.Authenticator, RenewTicketRequest.Code, connection.ChannelBinding.Span);
        return verified is not null
            && await tickets.RenewAsync(verified, connection.ToOrigin().As(verified.Body.Client), cancellationToken) is { } grant
            ? HandlerReply.Of(new TicketGranted(grant.Ticket, grant.SealedPart))
            : HandlerReply.Refuse(ProtocolError.TicketRefused);
    }
}

/// <summary>The AP exchange with the auth server itself: the ticket-granting ticket signs a channel in.</summary>
internal sealed class PresentTicketHandler(TicketService tickets, TimeProvider time) : IRequestHandler<PresentTicketRequest>
{
    public ValueTask<HandlerReply> HandleAsync(
        PresentTicketRequest request,
        WireConnection connection,
        CancellationToken cancellationToken) => ValueTask.FromResult(Handle(request, connection));

    private HandlerReply Handle(PresentTicketRequest request, WireConnection connection)
    {
        using var verified = tickets.Verify(
            request.Ticket, request.Authenticator, PresentTicketRequest.Code, connection.ChannelBinding.Span);
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
        if (!tickets.IsLiving(body.Session))
        {
            connection.SignOut();
            return HandlerReply.Refuse(ProtocolError.TicketRefused);
        }

        var nonce = verified.Authenticator.Nonce;
        var proof = new ApReplyPart(nonce, time.GetUtcNow(), principal.EndsAt).Seal(body.SessionKey);
        return HandlerReply.ThenMix(new TicketAccepted(proof), SessionKey.ForChannel(body.SessionKey, nonce));
    }
}

internal sealed class LogoutHandler(TicketService tickets) : IRequestHandler<LogoutRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        LogoutRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        var principal = connection.Principal!;
        var origin = connection.ToOrigin();

        // Before its session is cut: the answer can then still be sent.
        connection.SignOut();
        await tickets.LogOutAsync(principal.Session, principal.Client, request.Everywhere, origin, cancellationToken);
        return HandlerReply.Of(new Done());
    }
}
