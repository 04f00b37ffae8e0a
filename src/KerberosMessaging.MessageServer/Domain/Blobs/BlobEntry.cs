namespace KerberosMessaging.MessageServer.Domain.Blobs;

/// <summary>What the index holds of a blob.</summary>
/// <param name="Announcement">What its uploader said of it.</param>
/// <param name="IsComplete">Whether all of it is on disk under its final name.</param>
/// <param name="CreatedAt">When it was announced, to the millisecond.</param>
/// <param name="ExpiresAt">When it is removed, to the millisecond.</param>
/// <param name="Handle">What admins call it.</param>
internal sealed record BlobEntry(
    BlobAnnouncement Announcement, bool IsComplete, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, BlobHandle Handle);
