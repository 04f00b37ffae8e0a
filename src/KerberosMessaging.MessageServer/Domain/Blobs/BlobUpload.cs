namespace KerberosMessaging.MessageServer.Domain.Blobs;

/// <summary>An upload that is under way. Whoever has the blob's turn may change it.</summary>
internal sealed class BlobUpload(BlobAnnouncement announcement, long nextOffset, DateTimeOffset expiresAt)
{
    public BlobAnnouncement Announcement => announcement;

    /// <summary>How much of it is in its file.</summary>
    public long NextOffset { get; set; } = nextOffset;

    /// <summary>When it is given up, as the index has it.</summary>
    public DateTimeOffset ExpiresAt { get; set; } = expiresAt;

    public bool IsFull => NextOffset == announcement.Size;

    public BlobProgress Progress => new(BlobStatus.Ok, NextOffset, false, ExpiresAt);
}
