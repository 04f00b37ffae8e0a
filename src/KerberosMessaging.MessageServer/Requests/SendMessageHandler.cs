using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>Takes a message in.</summary>
internal sealed class SendMessageHandler(Relay relay, MessageCounts counts, TimeProvider time) : IPipelinedHandler<SendMessageRequest>
{
    public ValueTask StartAsync(SendMessageRequest request, PipelinedCall call, CancellationToken cancellationToken)
    {
        var sender = call.Connection.Principal!;
        var envelopes = new SubmittedEnvelope[request.Envelopes.Count];
        for (var i = 0; i < envelopes.Length; i++)
        {
            envelopes[i] = new SubmittedEnvelope(request.Envelopes[i].Device, request.Envelopes[i].Envelope);
        }

        var submission = new Submission(
            new DeviceAddress(sender.Client, sender.Device),
            sender.ClientName,
            request.Message,
            request.Recipient,
            request.TimeToLiveSeconds,
            request.Kind == DeliveryKind.Ephemeral,
            envelopes,
            request.LeftOut);

        // To the millisecond, as it is stored and told: a repeat is answered as the first was.
        var acceptedAt = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
        return relay.SendAsync(new WireSend(submission, acceptedAt, call, counts), call.Connection.GetState<DeviceConnection>()!.Mailbox);
    }
}

/// <summary>A message whose sender waits at the other end of a connection.</summary>
internal sealed class WireSend(Submission submission, DateTimeOffset acceptedAt, PipelinedCall call, MessageCounts counts)
    : PendingSend(submission, acceptedAt)
{
    // What fills a mailbox is emptied by its owner, which takes a while; the sweep of expired messages comes every minute.
    private static readonly TimeSpan QuotaRetryAfter = TimeSpan.FromSeconds(60);

    public override void Answer(SendResult result)
    {
        switch (result.Status)
        {
            case SendStatus.Accepted:
                counts.Accept();
                call.Reply(new MessageAccepted(result.AcceptedAt));
                break;
            case SendStatus.DevicesMismatched:
                call.Reply(new DevicesMismatched(result.Unknown, result.Missing));
                break;
            case SendStatus.UnknownClient:
                call.Refuse(ProtocolError.UnknownClient);
                break;
            case SendStatus.QuotaExceeded:
                call.Refuse(ProtocolError.QuotaExceeded, QuotaRetryAfter);
                break;
            case SendStatus.MessageIdReused:
                call.Refuse(ProtocolError.MessageIdReused);
                break;
            case SendStatus.StoreFull:
                call.Refuse(ProtocolError.Busy, QuotaRetryAfter);
                break;
            case SendStatus.Busy:
                call.Refuse(ProtocolError.Busy, StoreReply.BusyRetryAfter);
                break;
            default:
                throw new InvalidOperationException("A submission has no such result.");
        }
    }
}
