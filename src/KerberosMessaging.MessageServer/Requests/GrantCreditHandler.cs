using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>Lets that many more messages flow to the device; the first credit makes the connection the one they flow down.</summary>
internal sealed class GrantCreditHandler(DeliveryService deliveries) : IRequestHandler<GrantCreditRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        GrantCreditRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        var device = connection.GetState<DeviceConnection>()!;
        var newest = await deliveries.FindNewestAsync(device);
        await deliveries.GrantAsync(device, request.Messages);
        return HandlerReply.Of(new CreditGranted((ulong)newest));
    }
}
