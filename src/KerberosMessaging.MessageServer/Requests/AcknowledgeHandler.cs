using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>
/// Deletes what the device has stored for itself. Pipelined, so that a device that acknowledges each message does not wait
/// for the disk between its other requests.
/// </summary>
internal sealed class AcknowledgeHandler(CommitQueue queue) : IRequestHandler<AcknowledgeRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        AcknowledgeRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        var device = connection.GetState<DeviceConnection>()!;
        var ranges = request.Ranges.Select(static range => new MailboxRange((long)range.First, (long)range.Last)).ToArray();
        var acknowledged = await queue.CommitAsync(new AcknowledgeWrite(device.Mailbox, ranges)).WaitAsync(cancellationToken);
        return acknowledged.IsDone ? StoreReply.Done : StoreReply.Busy;
    }
}
