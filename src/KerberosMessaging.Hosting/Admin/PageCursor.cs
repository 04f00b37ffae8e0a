using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// Opaque text for the place in a list where a page ended. It holds the sort key and the identifier of the last row, so
/// that the next page starts right after it whatever was inserted or removed in between. Nothing in it is secret, and a
/// forged one only names another place in the same list.
/// </summary>
/// <remarks>
/// <code>
/// by time:  0x01 | created, 8 bytes big-endian | id, 16 bytes
/// by key:   0x02 | id, 16 bytes                | key, UTF-8
/// </code>
/// </remarks>
public static class PageCursor
{
    /// <summary>The longest sort key, in UTF-8 bytes.</summary>
    public const int MaxSortKeyLength = 512;

    private const byte ByTime = 1;
    private const byte ByKey = 2;
    private const int IdLength = 16;
    private const int ByTimeLength = 1 + sizeof(long) + IdLength;
    private const int MaxLength = 1 + IdLength + MaxSortKeyLength;

    /// <summary>The cursor after a row of a list sorted by time and identifier.</summary>
    /// <param name="createdAtMs">The row's time in milliseconds since 1970.</param>
    /// <param name="id">The row's identifier.</param>
    /// <returns>The cursor.</returns>
    public static string Encode(long createdAtMs, Guid id)
    {
        Span<byte> bytes = stackalloc byte[ByTimeLength];
        bytes[0] = ByTime;
        BinaryPrimitives.WriteInt64BigEndian(bytes[1..], createdAtMs);
        id.TryWriteBytes(bytes[(1 + sizeof(long))..], bigEndian: true, out _);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>The cursor after a row of a list sorted by a text and identifier.</summary>
    /// <param name="sortKey">The row's text, such as its name; at most <see cref="MaxSortKeyLength"/> bytes of UTF-8.</param>
    /// <param name="id">The row's identifier.</param>
    /// <returns>The cursor.</returns>
    public static string Encode(string sortKey, Guid id)
    {
        ArgumentNullException.ThrowIfNull(sortKey);

        Span<byte> bytes = stackalloc byte[MaxLength];
        bytes[0] = ByKey;
        id.TryWriteBytes(bytes[1..], bigEndian: true, out _);
        return Encoding.UTF8.TryGetBytes(sortKey, bytes[(1 + IdLength)..], out var written)
            ? Base64Url.EncodeToString(bytes[..(1 + IdLength + written)])
            : throw new ArgumentException($"A sort key has at most {MaxSortKeyLength} bytes.", nameof(sortKey));
    }

    /// <summary>Reads a cursor made by <see cref="Encode(long, Guid)"/>.</summary>
    /// <param name="cursor">The text that came with a request.</param>
    /// <param name="createdAtMs">The last row's time.</param>
    /// <param name="id">The last row's identifier.</param>
    /// <returns><see langword="false"/> for anything <see cref="Encode(long, Guid)"/> did not write.</returns>
    public static bool TryDecode(string? cursor, out long createdAtMs, out Guid id)
    {
        Span<byte> bytes = stackalloc byte[MaxLength];
        if (!TryDecode(cursor, bytes, out var length) || length != ByTimeLength || bytes[0] != ByTime)
        {
            (createdAtMs, id) = (0, default);
            return false;
        }

        createdAtMs = BinaryPrimitives.ReadInt64BigEndian(bytes[1..]);
        id = new Guid(bytes.Slice(1 + sizeof(long), IdLength), bigEndian: true);
        return true;
    }

    /// <summary>Reads a cursor made by <see cref="Encode(string, Guid)"/>.</summary>
    /// <param name="cursor">The text that came with a request.</param>
    /// <param name="sortKey">The last row's text.</param>
    /// <param name="id">The last row's identifier.</param>
    /// <returns><see langword="false"/> for anything <see cref="Encode(string, Guid)"/> did not write.</returns>
    public static bool TryDecode(string? cursor, out string sortKey, out Guid id)
    {
        Span<byte> bytes = stackalloc byte[MaxLength];
        if (!TryDecode(cursor, bytes, out var length) || length < 1 + IdLength || bytes[0] != ByKey
            || !Utf8.IsValid(bytes[(1 + IdLength)..length]))
        {
            (sortKey, id) = ("", default);
            return false;
        }

        id = new Guid(bytes.Slice(1, IdLength), bigEndian: true);
        sortKey = Encoding.UTF8.GetString(bytes[(1 + IdLength)..length]);
        return true;
    }

    private static bool TryDecode(string? cursor, Span<byte> bytes, out int length)
    {
        length = 0;

        // The decoder forgives white space, padding and stray bits; encoding again does not.
        return !string.IsNullOrEmpty(cursor)
            && cursor.Length <= Base64Url.GetEncodedLength(MaxLength)
            && Base64Url.IsValid(cursor) // TryDecodeFromChars throws on foreign characters.
            && Base64Url.TryDecodeFromChars(cursor, bytes, out length)
            && Base64Url.EncodeToString(bytes[..length]) == cursor;
    }
}
