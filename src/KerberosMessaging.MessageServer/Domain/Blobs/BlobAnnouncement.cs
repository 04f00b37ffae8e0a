using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain.Blobs;

/// <summary>What an uploader says of a blob before its first byte.</summary>
/// <param name="Blob">Its id.</param>
/// <param name="Uploader">Who uploads it.</param>
/// <param name="Size">Bytes of the sealed content.</param>
/// <param name="Digest">SHA-256 of the sealed content.</param>
/// <param name="TimeToLiveSeconds">How long it is to be kept once it is complete; 0 for the default.</param>
internal sealed record BlobAnnouncement(BlobId Blob, ClientId Uploader, long Size, byte[] Digest, uint TimeToLiveSeconds)
{
    public bool IsSameAs(BlobAnnouncement other) =>
        (Blob, Uploader, Size, TimeToLiveSeconds) == (other.Blob, other.Uploader, other.Size, other.TimeToLiveSeconds)
        && Digest.AsSpan().SequenceEqual(other.Digest);
}
