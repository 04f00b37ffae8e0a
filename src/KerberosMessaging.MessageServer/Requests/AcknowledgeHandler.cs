using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>
/// Settles what the device has stored for itself, and lets as many more messages flow as it says. What never was on disk is
/// answered at once.
/// </summary>
internal sealed class AcknowledgeHandler(CommitQueue queue, DeliveryService deliveries) : IPipelinedHandler<AcknowledgeRequest>
{
    public async ValueTask StartAsync(AcknowledgeRequest request, PipelinedCall call, CancellationToken cancellationToken)
    {
        var device = call.Connection.GetState<DeviceConnection>()!;
        var ranges = new MailboxRange[request.Ranges.Count];
        for (var i = 0; i < ranges.Length; i++)
        {
            ranges[i] = new MailboxRange((long)request.Ranges[i].First, (long)request.Ranges[i].Last);
        }

        if (device.Mailbox.Acknowledge(ranges) is { } delete)
        {
            queue.Enqueue(delete);
            _ = AnswerAsync(delete, call);
        }
        else
        {
            call.Reply(StoreReply.DoneMessage);
        }

        if (request.Credit > 0)
        {
            await deliveries.GrantAsync(device, request.Credit);
        }
    }

    private static async Task AnswerAsync(AcknowledgeWrite delete, PipelinedCall call)
    {
        if ((await delete.Completion).IsDone)
        {
            call.Reply(StoreReply.DoneMessage);
        }
        else
        {
            call.Refuse(ProtocolError.Busy, StoreReply.BusyRetryAfter);
        }
    }
}
