using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>Takes a message in. Pipelined: it takes its place in the commit order before its first wait.</summary>
internal sealed class SendMessageHandler(Relay relay) : IRequestHandler<SendMessageRequest>
{
    // What fills a mailbox is emptied by its owner, which takes a while; the sweep of expired messages comes every minute.
    private static readonly TimeSpan QuotaRetryAfter = TimeSpan.FromSeconds(60);

    public async ValueTask<HandlerReply> HandleAsync(
        SendMessageRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        var sender = connection.Principal!;
        var submission = new Submission(
            new DeviceAddress(sender.Client, sender.Device),
            sender.ClientName,
            request.Message,
            request.Recipient,
            request.TimeToLiveSeconds,
            request.Envelopes.Select(static envelope => new SubmittedEnvelope(envelope.Device, envelope.Envelope)).ToArray());
        var sent = await relay.SendAsync(submission).WaitAsync(cancellationToken);
        return sent.IsDone ? Answer(sent.Result) : StoreReply.Busy;
    }

    private static HandlerReply Answer(SendResult result) => result.Status switch
    {
        SendStatus.Accepted => HandlerReply.Of(new MessageAccepted(result.AcceptedAt)),
        SendStatus.DevicesMismatched => HandlerReply.Of(new DevicesMismatched(result.Unknown, result.Missing)),
        SendStatus.UnknownClient => HandlerReply.Refuse(ProtocolError.UnknownClient),
        SendStatus.QuotaExceeded => HandlerReply.Refuse(ProtocolError.QuotaExceeded, QuotaRetryAfter),
        SendStatus.MessageIdReused => HandlerReply.Refuse(ProtocolError.MessageIdReused),
        _ => throw new InvalidOperationException("A submission has no such result."),
    };
}
