using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Requests;

internal sealed class RegisterClientHandler(RegistrationService registration) : IRequestHandler<RegisterClientRequest>
{
    public ValueTask<HandlerReply> HandleAsync(
        RegisterClientRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        var response = new byte[Opaque.RegistrationResponseSize];
        var (version, failure) = registration.Start(request.Name, request.Token, request.RegistrationRequest, response);
        if (failure is { } reason)
        {
            return ValueTask.FromResult(RegistrationRefusals.Reply(reason));
        }

        connection.SetState(new StartedRegistration(request.Name, request.Token, version));
        return ValueTask.FromResult(HandlerReply.Of(
            new RegistrationChallenge(response, registration.Stretching.ToWire(), registration.MinimumPasswordLength)));
    }
}

internal sealed class FinishRegistrationHandler(RegistrationService registration) : IRequestHandler<FinishRegistrationRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        FinishRegistrationRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        // The record is made for one name's OPRF key: under another name it would open for nobody.
        if (connection.GetState<StartedRegistration>() is not { } started || started.Name != request.Name)
        {
            return RegistrationRefusals.Reply(RegistrationFailure.RecordRefused);
        }

        connection.SetState<StartedRegistration>(null);
        var (client, failure) = await registration.FinishAsync(
            request.Name,
            started.Token,
            started.OpaqueVersion,
            request.RegistrationRecord,
            request.Stretching.FromWire(),
            connection.ToOrigin(),
            cancellationToken);
        return failure is { } reason ? RegistrationRefusals.Reply(reason) : HandlerReply.Of(new ClientRegistered(client));
    }
}

/// <summary>The first step of a registration was answered on this connection.</summary>
internal sealed record StartedRegistration(string Name, string Token, uint OpaqueVersion)
{
    /// <summary>The name: never the token.</summary>
    public override string ToString() => Name;
}

internal static class RegistrationRefusals
{
    public static HandlerReply Reply(RegistrationFailure failure) => HandlerReply.Of(new RegistrationRefused(failure switch
    {
        RegistrationFailure.NameTaken => RegistrationRefusal.NameTaken,
        RegistrationFailure.NameInvalid => RegistrationRefusal.NameInvalid,
        RegistrationFailure.Closed => RegistrationRefusal.Closed,
        RegistrationFailure.InviteRefused => RegistrationRefusal.InviteRefused,
        RegistrationFailure.StretchingRefused => RegistrationRefusal.StretchingRefused,
        _ => RegistrationRefusal.RecordRefused,
    }));
}
