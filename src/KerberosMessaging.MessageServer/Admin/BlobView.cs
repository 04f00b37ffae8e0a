using KerberosMessaging.MessageServer.Domain.Blobs;

namespace KerberosMessaging.MessageServer.Admin;

/// <summary>A blob.</summary>
/// <param name="Handle" example="9b1d7c52-3f6e-4a08-8c41-d2e7f5a09b36">What operations call it. It does not let anybody read the blob.</param>
/// <param name="ClientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client that uploads it.</param>
/// <param name="Bytes" example="5242880">How many bytes it has, as announced.</param>
/// <param name="IsComplete" example="true">Whether all of it has come.</param>
/// <param name="CreatedAt" example="2026-05-04T08:15:30Z">When it was announced.</param>
/// <param name="ExpiresAt" example="2026-06-03T08:15:30Z">When it is deleted, unless its upload goes on until then.</param>
internal sealed record BlobView(Guid Handle, Guid ClientId, long Bytes, bool IsComplete, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt)
{
    public static BlobView Of(BlobEntry blob) => new(
        blob.Handle.Value, blob.Announcement.Uploader.Value, blob.Announcement.Size, blob.IsComplete, blob.CreatedAt, blob.ExpiresAt);
}
