using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Requests;

internal sealed class StartPasswordChangeHandler(PasswordService passwords, IOptions<AuthOptions> options)
    : IRequestHandler<StartPasswordChangeRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        StartPasswordChangeRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        connection.GetState<PendingPasswordChange>()?.Dispose();
        connection.SetState<PendingPasswordChange>(null);
        var (answer, wait) = await passwords.StartAsync(
            connection.Principal!.Client,
            request.Ke1,
            request.RegistrationRequest,
            connection.ChannelBinding,
            connection.ToOrigin(),
            cancellationToken);
        if (answer is null)
        {
            return wait is { } retryAfter
                ? HandlerReply.Refuse(ProtocolError.TooManyRequests, retryAfter)
                : HandlerReply.Refuse(ProtocolError.LoginFailed);
        }

        connection.SetState(answer.Pending);
        return HandlerReply.Of(new PasswordChangeChallenge(
            answer.Pending.Login.Stretching.ToWire(),
            answer.Pending.Login.Ke2.ToArray(),
            answer.RegistrationResponse,
            passwords.Stretching.ToWire(),
            (ushort)options.Value.MinimumPasswordLength,
            answer.PreviousKeys));
    }
}

internal sealed class FinishPasswordChangeHandler(PasswordService passwords) : IRequestHandler<FinishPasswordChangeRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        FinishPasswordChangeRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        using var pending = connection.GetState<PendingPasswordChange>();
        if (pending is null)
        {
            return HandlerReply.Refuse(ProtocolError.Unexpected);
        }

        connection.SetState<PendingPasswordChange>(null);
        var principal = connection.Principal!;
        var refusal = await passwords.FinishAsync(
            pending,
            request.Ke3,
            new NewRecord(request.RegistrationRecord, request.Stretching.FromWire(), request.PreviousKeys, request.EndOtherSessions),
            principal.Session,
            principal.Client,
            connection.ToOrigin(),
            cancellationToken);
        if (refusal is { } error)
        {
            await pending.Login.Attempt.FailAsync(cancellationToken);
            return HandlerReply.Refuse(error);
        }

        return HandlerReply.Of(new Done());
    }
}
