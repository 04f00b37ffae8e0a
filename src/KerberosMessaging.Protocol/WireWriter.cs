using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace KerberosMessaging.Protocol;

/// <summary>Writes a payload field by field, the mirror of <see cref="WireReader"/>.</summary>
/// <remarks>A field over what its length prefix can say is our own bug: <see cref="ArgumentException"/>.</remarks>
public readonly ref struct WireWriter
{
    private readonly IBufferWriter<byte> _output;

    /// <summary>Appends to <paramref name="output"/>.</summary>
    /// <param name="output">Where the bytes go.</param>
    public WireWriter(IBufferWriter<byte> output) => _output = output;

    /// <summary>The payload of a message as a new array.</summary>
    /// <param name="message">The message.</param>
    public static byte[] ToArray(IWireMessage message)
    {
        var buffer = new ArrayBufferWriter<byte>();
        message.Write(new WireWriter(buffer));
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Writes one byte.</summary>
    public void WriteU8(byte value) => _output.Write([value]);

    /// <summary>Writes a byte that is 0 or 1.</summary>
    public void WriteFlag(bool value) => WriteU8(value ? (byte)1 : (byte)0);

    /// <summary>Writes 2 bytes.</summary>
    public void WriteU16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_output.GetSpan(2), value);
        _output.Advance(2);
    }

    /// <summary>Writes 4 bytes.</summary>
    public void WriteU32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_output.GetSpan(4), value);
        _output.Advance(4);
    }

    /// <summary>Writes 8 bytes.</summary>
    public void WriteU64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_output.GetSpan(8), value);
        _output.Advance(8);
    }

    /// <summary>Writes a time as 8 bytes of milliseconds since 1970.</summary>
    public void WriteTime(DateTimeOffset value) => WriteU64((ulong)value.ToUnixTimeMilliseconds());

    /// <summary>Writes a 16-byte identifier.</summary>
    public void WriteId(Guid value)
    {
        value.TryWriteBytes(_output.GetSpan(16), bigEndian: true, out _);
        _output.Advance(16);
    }

    /// <summary>Writes a field of a fixed length.</summary>
    /// <param name="value">The bytes.</param>
    /// <param name="length">The length that the format states.</param>
    public void WriteFixed(ReadOnlySpan<byte> value, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(value.Length, length);
        _output.Write(value);
    }

    /// <summary>Writes a field with a 2-byte length in front.</summary>
    public void WriteBytes16(ReadOnlySpan<byte> value)
    {
        WriteU16(checked((ushort)value.Length));
        _output.Write(value);
    }

    /// <summary>Writes a field with a 4-byte length in front.</summary>
    public void WriteBytes32(ReadOnlySpan<byte> value)
    {
        WriteU32((uint)value.Length);
        _output.Write(value);
    }

    /// <summary>Writes UTF-8 text with a 2-byte length in front.</summary>
    public void WriteText(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        WriteU16(checked((ushort)length));
        _output.Advance(Encoding.UTF8.GetBytes(value, _output.GetSpan(length)));
    }

    /// <summary>Writes the 2-byte count of a list.</summary>
    public void WriteCount(int count) => WriteU16(checked((ushort)count));
}
