namespace KerberosMessaging.Protocol.Messages;

/// <summary>
/// Begins the upload of a blob, or asks how far it has come: a repeat with the same fields changes nothing and is answered
/// with where to go on.
/// </summary>
/// <param name="Blob">Random id.</param>
/// <param name="Size">Bytes of the sealed content: at least 1, below 2^63.</param>
/// <param name="Digest">SHA-256 of the sealed content, 32 bytes.</param>
/// <param name="TimeToLiveSeconds">How long it is kept once it is complete; 0 for the server's default.</param>
public sealed record StartBlobRequest(BlobId Blob, long Size, byte[] Digest, uint TimeToLiveSeconds)
    : IWireMessage<StartBlobRequest>
{
    /// <summary>The size of the digest in bytes.</summary>
    public const int DigestSize = 32;

    /// <inheritdoc />
    public static MessageCode Code => MessageCode.StartBlob;

    /// <inheritdoc />
    public static StartBlobRequest Read(ref WireReader reader)
    {
        var blob = BlobField.ReadId(ref reader);
        var size = BlobField.ReadOffset(ref reader);
        var digest = reader.ReadFixed(DigestSize);
        var timeToLive = reader.ReadU32();
        return size > 0 && timeToLive <= ProtocolLimits.TimeToLiveSeconds
            ? new StartBlobRequest(blob, size, digest, timeToLive)
            : throw new ProtocolException(ProtocolError.Malformed, "A blob is empty or has too long a time to live.");
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteId(Blob.Value);
        writer.WriteU64((ulong)Size);
        writer.WriteFixed(Digest, DigestSize);
        writer.WriteU32(TimeToLiveSeconds);
    }
}

/// <summary>Uploads the next bytes of a blob. At another offset than the next one nothing is taken.</summary>
/// <param name="Blob">The blob.</param>
/// <param name="Offset">Where in the sealed content the bytes belong; below 2^63.</param>
/// <param name="Content">At least one byte.</param>
public sealed record WriteBlobRequest(BlobId Blob, long Offset, byte[] Content) : IWireMessage<WriteBlobRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.WriteBlob;

    /// <inheritdoc />
    public static WriteBlobRequest Read(ref WireReader reader)
    {
        var blob = BlobField.ReadId(ref reader);
        var offset = BlobField.ReadOffset(ref reader);
        var content = reader.ReadBytes32(ProtocolLimits.BlobChunkBytes);
        return content.Length > 0
            ? new WriteBlobRequest(blob, offset, content)
            : throw new ProtocolException(ProtocolError.Malformed, "Nothing is to be written to a blob.");
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteId(Blob.Value);
        writer.WriteU64((ulong)Offset);
        writer.WriteBytes32(Content);
    }
}

/// <summary>Asks for bytes of a complete blob.</summary>
/// <param name="Blob">The blob.</param>
/// <param name="Offset">The first byte wanted; below 2^63.</param>
/// <param name="MaxBytes">Most bytes wanted: at least 1, at most <see cref="ProtocolLimits.BlobChunkBytes"/>.</param>
public sealed record ReadBlobRequest(BlobId Blob, long Offset, uint MaxBytes) : IWireMessage<ReadBlobRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.ReadBlob;

    /// <inheritdoc />
    public static ReadBlobRequest Read(ref WireReader reader)
    {
        var blob = BlobField.ReadId(ref reader);
        var offset = BlobField.ReadOffset(ref reader);
        var maxBytes = reader.ReadU32();
        return maxBytes is > 0 and <= ProtocolLimits.BlobChunkBytes
            ? new ReadBlobRequest(blob, offset, maxBytes)
            : throw new ProtocolException(ProtocolError.Malformed, "No bytes of a blob are asked for, or too many.");
    }

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteId(Blob.Value);
        writer.WriteU64((ulong)Offset);
        writer.WriteU32(MaxBytes);
    }
}

/// <summary>Deletes a blob of one's own, complete or not.</summary>
/// <param name="Blob">The blob.</param>
public sealed record DeleteBlobRequest(BlobId Blob) : IWireMessage<DeleteBlobRequest>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.DeleteBlob;

    /// <inheritdoc />
    public static DeleteBlobRequest Read(ref WireReader reader) => new(BlobField.ReadId(ref reader));

    /// <inheritdoc />
    public void Write(WireWriter writer) => writer.WriteId(Blob.Value);
}

/// <summary>How far an upload has come.</summary>
/// <param name="NextOffset">Where to go on; the blob's size when all of it has come.</param>
/// <param name="IsComplete">Whether size and digest are right and the blob is on disk: it can be read now.</param>
/// <param name="ExpiresAt">When it is removed; of an upload that is not complete, when it is given up unless more comes.</param>
public sealed record BlobState(long NextOffset, bool IsComplete, DateTimeOffset ExpiresAt) : IWireMessage<BlobState>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.BlobState;

    /// <inheritdoc />
    public static BlobState Read(ref WireReader reader) =>
        new(BlobField.ReadOffset(ref reader), reader.ReadFlag(), reader.ReadTime());

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteU64((ulong)NextOffset);
        writer.WriteFlag(IsComplete);
        writer.WriteTime(ExpiresAt);
    }
}

/// <summary>Bytes of a blob.</summary>
/// <param name="Size">Bytes of the whole sealed content.</param>
/// <param name="Offset">Where the bytes belong, as asked.</param>
/// <param name="Content">As many as were asked for, fewer at the end, none beyond it.</param>
public sealed record BlobData(long Size, long Offset, ReadOnlyMemory<byte> Content) : IWireMessage<BlobData>
{
    /// <inheritdoc />
    public static MessageCode Code => MessageCode.BlobData;

    /// <inheritdoc />
    public static BlobData Read(ref WireReader reader) => new(
        BlobField.ReadOffset(ref reader), BlobField.ReadOffset(ref reader), reader.ReadBytes32(ProtocolLimits.BlobChunkBytes));

    /// <inheritdoc />
    public void Write(WireWriter writer)
    {
        writer.WriteU64((ulong)Size);
        writer.WriteU64((ulong)Offset);
        writer.WriteBytes32(Content.Span);
    }
}

/// <summary>Fields that the messages about blobs share.</summary>
internal static class BlobField
{
    public static BlobId ReadId(ref WireReader reader)
    {
        var blob = new BlobId(reader.ReadId());
        return blob.IsZero ? throw new ProtocolException(ProtocolError.Malformed, "A blob has no id.") : blob;
    }

    // Below 2^63, so that sums of two never wrap unseen and a file can have it.
    public static long ReadOffset(ref WireReader reader)
    {
        var offset = reader.ReadU64();
        return offset <= long.MaxValue
            ? (long)offset
            : throw new ProtocolException(ProtocolError.Malformed, "An offset or size of a blob is out of range.");
    }
}
