using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>Publishes prekeys of the device at the other end.</summary>
internal sealed class UploadPrekeysHandler(CommitQueue queue) : IRequestHandler<UploadPrekeysRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        UploadPrekeysRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        var device = connection.GetState<DeviceConnection>()!;
        var upload = new UploadPrekeysWrite(device.Mailbox.Id, request.Bundle, request.DropBelow, request.OneTimePrekeys);
        var stored = await queue.CommitAsync(upload).WaitAsync(cancellationToken);
        return stored.IsDone ? Answer(stored.Result) : StoreReply.Busy;
    }

    private static HandlerReply Answer(PrekeyUpload upload) => upload.Status switch
    {
        PrekeyUploadStatus.Stored => HandlerReply.Of(new PrekeyStatus(upload.Stock.X25519, upload.Stock.MlKem768)),
        PrekeyUploadStatus.TooMany => HandlerReply.Refuse(ProtocolError.QuotaExceeded),

        // The device was removed a moment ago, and this connection is about to end.
        _ => StoreReply.Busy,
    };
}
