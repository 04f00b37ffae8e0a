namespace KerberosMessaging.MessageServer.Domain.Blobs;

/// <summary>What the store holds in all.</summary>
/// <param name="Complete">How many blobs are complete.</param>
/// <param name="CompleteBytes">How many bytes they have.</param>
/// <param name="Unfinished">How many are being uploaded.</param>
/// <param name="UnfinishedBytes">How many bytes were announced for these.</param>
internal readonly record struct BlobStats(long Complete, long CompleteBytes, long Unfinished, long UnfinishedBytes);
