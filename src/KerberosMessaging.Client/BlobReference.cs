using System.Buffers.Binary;
using KerberosMessaging.Client.Blobs;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client;

/// <summary>
/// Where a blob is and what opens it: whoever has this can read the blob, so it belongs into encrypted messages alone. 105
/// bytes:
/// <code>
///  0            1            17          33        41         105
///  +------------+------------+-----------+---------+----------+
///  | format     | server     | blob      | size    | key      |
///  | (1) = 1    | (16)       | (16)      | (8)     | (64)     |
///  +------------+------------+-----------+---------+----------+
/// </code>
/// </summary>
public sealed class BlobReference : IDisposable
{
    /// <summary>The size of a reference in bytes.</summary>
    public const int EncodedSize = 41 + AuthenticatedCbc.KeySize;

    private const byte Format = 1;
    private const int ServerAt = 1;
    private const int BlobAt = 17;
    private const int SizeAt = 33;
    private const int KeyAt = 41;

    internal BlobReference(ServerId server, BlobId blob, long size, SecretBytes key) =>
        (Server, Blob, Size, Key) = (server, blob, size, key);

    /// <summary>The message server that has the blob.</summary>
    public ServerId Server { get; }

    /// <summary>Bytes of the content before it was encrypted.</summary>
    public long Size { get; }

    internal BlobId Blob { get; }

    internal SecretBytes Key { get; }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <param name="bytes">Any bytes.</param>
    /// <returns>The reference, the caller's to dispose of; null where the bytes are none.</returns>
    public static BlobReference? TryRead(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != EncodedSize || bytes[0] != Format)
        {
            return null;
        }

        var server = new ServerId(new Guid(bytes[ServerAt..BlobAt], bigEndian: true));
        var blob = new BlobId(new Guid(bytes[BlobAt..SizeAt], bigEndian: true));
        var size = BinaryPrimitives.ReadInt64BigEndian(bytes[SizeAt..]);
        return !server.IsZero && !blob.IsZero && size is >= 0 and <= BlobFormat.LargestSize
            ? new BlobReference(server, blob, size, new SecretBytes(bytes[KeyAt..]))
            : null;
    }

    /// <summary>The reference as bytes, which are as secret as the content; the caller's to dispose of.</summary>
    public SecretBytes ToBytes()
    {
        var secret = new SecretBytes(EncodedSize);
        var bytes = secret.Span;
        bytes[0] = Format;
        Server.Value.TryWriteBytes(bytes[ServerAt..], bigEndian: true, out _);
        Blob.Value.TryWriteBytes(bytes[BlobAt..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(bytes[SizeAt..], Size);
        Key.Span.CopyTo(bytes[KeyAt..]);
        return secret;
    }

    /// <summary>Erases the key.</summary>
    public void Dispose() => Key.Dispose();

    /// <summary>Neither id nor key.</summary>
    public override string ToString() => $"blob of {Size} bytes, [redacted]";
}
