using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Requests;

internal sealed class StartLoginHandler(LoginService logins) : IRequestHandler<StartLoginRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        StartLoginRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        connection.GetState<PendingLogin>()?.Dispose();
        connection.SetState<PendingLogin>(null);
        if (await logins.StartAsync(request.Name, request.Ke1, connection.ChannelBinding, cancellationToken) is not var (login, stretching))
        {
            return HandlerReply.Refuse(ProtocolError.LoginFailed);
        }

        connection.SetState(login);
        return HandlerReply.Of(new LoginChallenge(stretching.ToWire(), login.Opaque.Ke2.ToArray()));
    }
}

internal sealed class FinishLoginHandler(LoginService logins) : IRequestHandler<FinishLoginRequest>
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
            connection.RemoteAddress,
            cancellationToken);
        if (result is not { Grant: { } grant, Client: { } client, Session: { } session })
        {
            return HandlerReply.Refuse(result.Refusal!.Value);
        }

        connection.SignIn(new WirePrincipal(
            new SessionId(session.Id), new ClientId(client.Id), client.Name, request.Device, session.ExpiresAt));
        return HandlerReply.Of(new TicketGranted(grant.Ticket, grant.SealedPart));
    }
}
