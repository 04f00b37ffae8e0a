using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>Lets that many more messages flow to the device.</summary>
internal sealed class GrantCreditHandler : IRequestHandler<GrantCreditRequest>
{
    public ValueTask<HandlerReply> HandleAsync(
        GrantCreditRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        connection.GetState<DeviceConnection>()!.Grant(request.Messages);
        return ValueTask.FromResult(StoreReply.Done);
    }
}
