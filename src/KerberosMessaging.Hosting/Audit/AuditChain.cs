using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Hosting.Audit;

/// <summary>
/// The hash of each audit row: HMAC-SHA-256 over the row and the hash before it, under a key that is sealed at rest. Whoever
/// can write the database but not open its keys can neither change a row nor leave one out without <c>verify</c> seeing it.
/// </summary>
/// <param name="key">The key; it stays the caller's.</param>
public sealed class AuditChain(SecretBytes key)
{
    /// <summary>The size of a hash in bytes.</summary>
    public const int HashSize = 32;

    private static readonly byte[] RowLabel = "kmsg audit row 1\0"u8.ToArray();
    private static readonly byte[] HeadLabel = "kmsg audit head 1\0"u8.ToArray();

    /// <summary>What stands before the first row.</summary>
    public static byte[] Start => new byte[HashSize];

    /// <summary>The hash of a row whose own <see cref="AuditRow.Hash"/> does not count.</summary>
    /// <param name="before">The hash of the row before.</param>
    /// <param name="row">The row.</param>
    public byte[] Hash(byte[] before, AuditRow row)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(row);

        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key.Span);
        Span<byte> numbers = stackalloc byte[24];
        BinaryPrimitives.WriteInt64BigEndian(numbers, row.Sequence);
        BinaryPrimitives.WriteInt64BigEndian(numbers[8..], row.At.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt32BigEndian(numbers[16..], (int)row.Kind);
        BinaryPrimitives.WriteInt32BigEndian(numbers[20..], (int)row.Result);
        hmac.AppendData(RowLabel);
        hmac.AppendData(before);
        hmac.AppendData(numbers);
        Append(hmac, row.Actor);
        Append(hmac, row.Address);
        Append(hmac, row.Target);
        Append(hmac, row.Detail);
        Append(hmac, row.Correlation);
        return hmac.GetHashAndReset();
    }

    /// <summary>Proves where the log ended.</summary>
    /// <param name="sequence">The last row's number.</param>
    /// <param name="hash">Its hash.</param>
    public byte[] HeadMac(long sequence, byte[] hash)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key.Span);
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(number, sequence);
        hmac.AppendData(HeadLabel);
        hmac.AppendData(number);
        hmac.AppendData(hash);
        return hmac.GetHashAndReset();
    }

    // With its length, so that no two rows have the same bytes.
    private static void Append(IncrementalHash hmac, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
        hmac.AppendData(length);
        hmac.AppendData(bytes);
    }
}
