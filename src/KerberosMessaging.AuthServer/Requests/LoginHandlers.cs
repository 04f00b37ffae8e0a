using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Requests;

internal sealed class StartLoginHandler(LoginService logins, AuthMetrics metrics) : IRequestHandler<StartLoginRequest>
{
    public ValueTask<HandlerReply> HandleAsync(
        StartLoginRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        connection.GetState<PendingLogin>()?.Dispose();
        connection.SetState<PendingLogin>(null);
        var (login, wait) = logins.Start(request.Name, request.Ke1, connection.ChannelBinding.Span, connection.ToOrigin());
        if (login is null)
        {
            if (wait is not null)
            {
                metrics.LoginDelayed();
            }

            return ValueTask.FromResult(wait is { } retryAfter
                ? HandlerReply.Refuse(ProtocolError.TooManyRequests, retryAfter)
                : HandlerReply.Refuse(ProtocolError.LoginFailed));
        }

        connection.SetState(login);
        return ValueTask.FromResult(HandlerReply.Of(new LoginChallenge(login.Stretching.ToWire(), login.Ke2.ToArray())));
    }
}

internal sealed class FetchPreviousKeysHandler : IRequestHandler<FetchPreviousKeysRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        FetchPreviousKeysRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        if (connection.GetState<PendingLogin>() is not { } login)
        {
            return HandlerReply.Refuse(ProtocolError.Unexpected);
        }

        if (login.TryProve(request.Ke3, out _))
        {
            return login.Client.IsDisabled
                ? HandlerReply.Refuse(ProtocolError.ClientDisabled)
                : HandlerReply.Of(new PreviousKeysReply(login.Client.PreviousKeys));
        }

        connection.SetState<PendingLogin>(null);
        using (login)
        {
            await login.Attempt.FailAsync(cancellationToken);
        }

        return HandlerReply.Refuse(ProtocolError.LoginFailed);
    }
}

internal sealed class FinishLoginHandler(LoginService logins, TicketService tickets) : IRequestHandler<FinishLoginRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        FinishLoginRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        using var login = connection.GetState<PendingLogin>();
        if (login is null)
        {
            return HandlerReply.Refuse(ProtocolError.Unexpected);
        }

        // One KE3 a KE1: whatever comes of it, the next try starts anew.
        connection.SetState<PendingLogin>(null);
        var result = await logins.FinishAsync(
            login,
            new DeviceProof(request.Ke3, request.Device, request.DeviceName, request.DeviceIdentity, request.Signature),
            connection.ChannelBinding,
            connection.ToOrigin(),
            cancellationToken);
        if (result is not { Grant: { } grant, Session: { } session })
        {
            // Where the password was not proven, this counts; it is on disk before the peer learns that it failed.
            await login.Attempt.FailAsync(cancellationToken);
            return HandlerReply.Refuse(result.Refusal!.Value);
        }

        var id = new SessionId(session.Id);
        connection.SignIn(new WirePrincipal(id, new ClientId(session.ClientId), result.ClientName, request.Device, session.ExpiresAt));
        if (!tickets.IsLiving(id))
        {
            connection.SignOut();
            return HandlerReply.Refuse(ProtocolError.LoginFailed);
        }

        return HandlerReply.Of(new TicketGranted(grant.Ticket, grant.SealedPart));
    }
}
