using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Requests;

internal sealed class RegisterClientHandler(RegistrationService registration) : IRequestHandler<RegisterClientRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        RegisterClientRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        var response = new byte[Opaque.RegistrationResponseSize];
        if (await registration.StartAsync(request.Name, request.RegistrationRequest, response, cancellationToken) is { } failure)
        {
            return RegistrationRefusals.Reply(failure);
        }

        connection.SetState(new StartedRegistration(request.Name));
        return HandlerReply.Of(new RegistrationChallenge(response, registration.Stretching.ToWire(), registration.MinimumPasswordLength));
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
        if (connection.GetState<StartedRegistration>()?.Name != request.Name)
        {
            return RegistrationRefusals.Reply(RegistrationFailure.RecordRefused);
        }

        connection.SetState<StartedRegistration>(null);
        var (client, failure) = await registration.FinishAsync(
            request.Name, request.RegistrationRecord, request.Stretching.FromWire(), cancellationToken);
        return failure is { } reason ? RegistrationRefusals.Reply(reason) : HandlerReply.Of(new ClientRegistered(client));
    }
}

/// <summary>The first step of a registration was answered on this connection.</summary>
internal sealed record StartedRegistration(string Name);

internal static class RegistrationRefusals
{
    public static HandlerReply Reply(RegistrationFailure failure) => HandlerReply.Of(new RegistrationRefused(failure switch
    {
        RegistrationFailure.NameTaken => RegistrationRefusal.NameTaken,
        RegistrationFailure.NameInvalid => RegistrationRefusal.NameInvalid,
        RegistrationFailure.StretchingRefused => RegistrationRefusal.StretchingRefused,
        _ => RegistrationRefusal.RecordRefused,
    }));
}
