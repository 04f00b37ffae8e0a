using System.Buffers.Binary;
using System.Text;

namespace KerberosMessaging.Protocol;

/// <summary>
/// Reads a payload field by field. Every length is compared with its limit and with what is left before anything is
/// allocated; whatever does not fit is a <see cref="ProtocolException"/> with <see cref="ProtocolError.Malformed"/>.
/// </summary>
public ref struct WireReader
{
    // Strict: an invalid sequence throws instead of becoming U+FFFD, so that two byte strings never read as one name.
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest;

    /// <summary>Starts at the first byte of a payload.</summary>
    /// <param name="payload">The whole plaintext payload.</param>
    public WireReader(ReadOnlySpan<byte> payload) => _rest = payload;

    /// <summary>How many bytes are left.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>Reads a whole message: its fields, and then nothing more.</summary>
    /// <typeparam name="T">The message.</typeparam>
    /// <param name="payload">The whole plaintext payload.</param>
    /// <exception cref="ProtocolException">The payload does not follow the format.</exception>
    public static T ReadWhole<T>(ReadOnlySpan<byte> payload)
        where T : IWireMessage<T>
    {
        var reader = new WireReader(payload);
        var message = T.Read(ref reader);
        reader.ExpectEnd();
        return message;
    }

    /// <summary>Reads one byte.</summary>
    public byte ReadU8() => Take(1)[0];

    /// <summary>Reads a byte that must be 0 or 1.</summary>
    public bool ReadFlag() => ReadU8() switch
    {
        0 => false,
        1 => true,
        _ => throw Malformed("A flag is neither 0 nor 1."),
    };

    /// <summary>Reads 2 bytes.</summary>
    public ushort ReadU16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    /// <summary>Reads 4 bytes.</summary>
    public uint ReadU32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    /// <summary>Reads 8 bytes.</summary>
    public ulong ReadU64() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    /// <summary>Reads a time: 8 bytes, milliseconds since 1970-01-01T00:00:00Z.</summary>
    public DateTimeOffset ReadTime()
    {
        var milliseconds = BinaryPrimitives.ReadInt64BigEndian(Take(8));
        return milliseconds is >= 0 and <= MaxTime
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : throw Malformed("A time is out of range.");
    }

    /// <summary>Reads a 16-byte identifier.</summary>
    public Guid ReadId() => new(Take(16), bigEndian: true);

    /// <summary>Reads a field of a fixed length and copies it.</summary>
    /// <param name="length">Bytes.</param>
    public byte[] ReadFixed(int length) => Take(length).ToArray();

    /// <summary>Reads a field with a 2-byte length in front and copies it.</summary>
    /// <param name="limit">Most bytes allowed.</param>
    public byte[] ReadBytes16(int limit)
    {
        var length = ReadU16();
        return length <= limit ? Take(length).ToArray() : throw Malformed("A field is over its limit.");
    }

    /// <summary>Reads a field with a 4-byte length in front and copies it.</summary>
    /// <param name="limit">Most bytes allowed.</param>
    public byte[] ReadBytes32(int limit)
    {
        var length = ReadU32();
        return length <= (uint)limit ? Take((int)length).ToArray() : throw Malformed("A field is over its limit.");
    }

    /// <summary>Reads UTF-8 text with a 2-byte length in front.</summary>
    /// <param name="limit">Most bytes allowed.</param>
    public string ReadText(int limit)
    {
        var length = ReadU16();
        if (length > limit)
        {
            throw Malformed("A text is over its limit.");
        }

        try
        {
            return StrictUtf8.GetString(Take(length));
        }
        catch (DecoderFallbackException)
        {
            throw Malformed("A text is not UTF-8.");
        }
    }

    /// <summary>Reads the 2-byte count of a list and checks that so many items can be left.</summary>
    /// <param name="limit">Most items allowed.</param>
    /// <param name="minimumItemSize">The fewest bytes that one item takes, so that a lying count allocates nothing.</param>
    public int ReadCount(int limit, int minimumItemSize)
    {
        var count = ReadU16();
        return count <= limit && count * minimumItemSize <= _rest.Length
            ? count
            : throw Malformed("A list is over its limit or longer than the payload.");
    }

    /// <summary>Checks that nothing is left: leftovers are malformed.</summary>
    public readonly void ExpectEnd()
    {
        if (!_rest.IsEmpty)
        {
            throw Malformed("Bytes are left after the last field.");
        }
    }

    internal const long MaxTime = 253_402_300_799_999; // 9999-12-31T23:59:59.999Z

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
        {
            throw Malformed("The payload ends inside a field.");
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private static ProtocolException Malformed(string reason) => new(ProtocolError.Malformed, reason);
}
