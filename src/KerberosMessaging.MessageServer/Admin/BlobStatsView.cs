namespace KerberosMessaging.MessageServer.Admin;

/// <summary>What the store of blobs holds.</summary>
/// <param name="Complete" example="12">How many blobs are complete.</param>
/// <param name="CompleteBytes" example="73400320">How many bytes they have.</param>
/// <param name="Unfinished" example="1">How many are being uploaded.</param>
/// <param name="UnfinishedBytes" example="5242880">How many bytes were announced for these; fewer may have come.</param>
internal sealed record BlobStatsView(long Complete, long CompleteBytes, long Unfinished, long UnfinishedBytes);
