namespace KerberosMessaging.Protocol;

/// <summary>
/// Names a blob. Its uploader makes it of 16 random bytes, since it is both the idempotency key of the upload and what lets
/// anybody who is signed in read the blob. 16 bytes on the wire.
/// </summary>
/// <param name="Value">The identifier; its bytes go on the wire in the order its hexadecimal form shows.</param>
public readonly record struct BlobId(Guid Value)
{
    /// <summary>Whether every byte is zero, which no blob's identifier is.</summary>
    public bool IsZero => Value == Guid.Empty;

    /// <summary>Never the identifier: whoever has it reads the blob's sealed content.</summary>
    public override string ToString() => "[redacted]";
}
