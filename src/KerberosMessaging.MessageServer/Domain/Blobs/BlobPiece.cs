namespace KerberosMessaging.MessageServer.Domain.Blobs;

/// <summary>Bytes of a complete blob.</summary>
/// <param name="Size">Bytes of the whole blob.</param>
/// <param name="Content">What was asked for, as far as there is so much.</param>
internal sealed record BlobPiece(long Size, ReadOnlyMemory<byte> Content);
