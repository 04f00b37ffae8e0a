using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>Hands out prekeys of a client's devices.</summary>
internal sealed class FetchPrekeysHandler(PrekeyService prekeys) : IRequestHandler<FetchPrekeysRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        FetchPrekeysRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        var requester = connection.GetState<DeviceConnection>()!.Device;
        var fetch = await prekeys.FetchAsync(requester, request.Client, request.Devices).WaitAsync(cancellationToken);
        if (fetch.RetryAfter > TimeSpan.Zero)
        {
            return HandlerReply.Refuse(ProtocolError.TooManyRequests, fetch.RetryAfter);
        }

        if (!fetch.Taken.IsDone)
        {
            return StoreReply.Busy;
        }

        return fetch.Taken.Result is { } found
            ? HandlerReply.Of(new PrekeysReply(
                [.. found.Select(static device => new DevicePrekeyBundle(device.Device, device.Bundle, device.OneTimePrekeys))]))
            : HandlerReply.Refuse(ProtocolError.UnknownClient);
    }
}
