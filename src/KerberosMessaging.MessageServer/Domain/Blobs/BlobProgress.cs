namespace KerberosMessaging.MessageServer.Domain.Blobs;

/// <summary>The answer to a step of an upload; the other fields mean something for <see cref="BlobStatus.Ok"/> alone.</summary>
/// <param name="Status">What became of it.</param>
/// <param name="NextOffset">Where to go on.</param>
/// <param name="IsComplete">Whether the blob can be read.</param>
/// <param name="ExpiresAt">When it is removed.</param>
internal readonly record struct BlobProgress(BlobStatus Status, long NextOffset, bool IsComplete, DateTimeOffset ExpiresAt)
{
    public static BlobProgress Of(BlobStatus refusal) => new(refusal, 0, false, default);
}
