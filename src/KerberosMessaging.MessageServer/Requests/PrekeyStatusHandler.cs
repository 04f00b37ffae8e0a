using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>Tells the device at the other end what there is of its one-time prekeys.</summary>
internal sealed class PrekeyStatusHandler(IMailboxStore store) : IRequestHandler<PrekeyStatusRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        PrekeyStatusRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        var stock = await store.ReadPrekeyStockAsync(connection.GetState<DeviceConnection>()!.Mailbox.Id);
        return HandlerReply.Of(new PrekeyStatus(stock.X25519, stock.MlKem768));
    }
}
