using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain.Blobs;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

// Concurrent, all of them: they wait for the disk, and messages on the same connection must not wait with them. Each takes its
// place in the order of its blob before its first wait.

/// <summary>Begins an upload, or says where it goes on.</summary>
internal sealed class StartBlobHandler(BlobService blobs) : IRequestHandler<StartBlobRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        StartBlobRequest request, WireConnection connection, CancellationToken cancellationToken) => BlobReply.Of(
        await blobs.StartAsync(
            new BlobAnnouncement(
                request.Blob, connection.Principal!.Client, request.Size, request.Digest, request.TimeToLiveSeconds),
            cancellationToken));
}

/// <summary>Takes the next bytes of an upload.</summary>
internal sealed class WriteBlobHandler(BlobService blobs) : IRequestHandler<WriteBlobRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        WriteBlobRequest request, WireConnection connection, CancellationToken cancellationToken) => BlobReply.Of(
        await blobs.WriteAsync(
            connection.Principal!.Client, request.Blob, request.Offset, request.Content, cancellationToken));
}

/// <summary>Gives bytes of a complete blob to whoever knows its id.</summary>
internal sealed class ReadBlobHandler(BlobService blobs) : IRequestHandler<ReadBlobRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        ReadBlobRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        var (status, piece) = await blobs.ReadAsync(request.Blob, request.Offset, (int)request.MaxBytes, cancellationToken);
        return piece is null
            ? BlobReply.Refuse(status)
            : HandlerReply.Of(new BlobData(piece.Size, request.Offset, piece.Content));
    }
}

/// <summary>Removes a blob of the client's own.</summary>
internal sealed class DeleteBlobHandler(BlobService blobs) : IRequestHandler<DeleteBlobRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        DeleteBlobRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        var status = await blobs.DeleteAsync(connection.Principal!.Client, request.Blob, cancellationToken);
        return status == BlobStatus.Ok ? StoreReply.Done : BlobReply.Refuse(status);
    }
}

/// <summary>Replies about blobs.</summary>
internal static class BlobReply
{
    // Room comes back when blobs expire or are deleted, and the sweep comes every minute.
    private static readonly TimeSpan RoomRetryAfter = TimeSpan.FromSeconds(60);

    public static HandlerReply Of(BlobProgress progress) => progress.Status == BlobStatus.Ok
        ? HandlerReply.Of(new BlobState(progress.NextOffset, progress.IsComplete, progress.ExpiresAt))
        : Refuse(progress.Status);

    public static HandlerReply Refuse(BlobStatus status) => status switch
    {
        BlobStatus.Unknown => HandlerReply.Refuse(ProtocolError.UnknownBlob),
        BlobStatus.Refused => HandlerReply.Refuse(ProtocolError.BlobRefused),
        BlobStatus.TooLarge => HandlerReply.Refuse(ProtocolError.BlobTooLarge),
        BlobStatus.QuotaExceeded => HandlerReply.Refuse(ProtocolError.QuotaExceeded, RoomRetryAfter),
        BlobStatus.NoRoom => HandlerReply.Refuse(ProtocolError.Busy, RoomRetryAfter),
        BlobStatus.Busy => StoreReply.Busy,
        _ => throw new InvalidOperationException("Nothing was refused."),
    };
}
