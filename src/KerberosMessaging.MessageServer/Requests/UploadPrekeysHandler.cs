using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>Publishes the prekeys of the device at the other end.</summary>
internal sealed class UploadPrekeysHandler(CommitQueue queue) : IRequestHandler<UploadPrekeysRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        UploadPrekeysRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        var device = connection.GetState<DeviceConnection>()!;
        var stored = await queue.CommitAsync(new StorePrekeysWrite(device.Mailbox.Id, request.Bundle)).WaitAsync(cancellationToken);
        return stored is { IsDone: true, Result: true } ? StoreReply.Done : StoreReply.Busy;
    }
}
