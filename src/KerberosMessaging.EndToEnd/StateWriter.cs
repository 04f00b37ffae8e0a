using System.Buffers.Binary;
using System.Diagnostics;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>What has a stored form.</summary>
internal interface IExported
{
    void Write(ref StateWriter writer);
}

/// <summary>
/// Writes big-endian fields into a span sized in advance: growing buffers would leave copies of secrets behind.
/// </summary>
internal ref struct StateWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;
    private readonly bool _isMeasuring;
    private int _written;

    private StateWriter(bool isMeasuring)
        : this([]) => _isMeasuring = isMeasuring;

    /// <summary>Writes something twice: once to learn its size, once for good.</summary>
    public static SecretBytes Export(IExported exported)
    {
        var measure = new StateWriter(isMeasuring: true);
        exported.Write(ref measure);
        var bytes = new SecretBytes(measure._written);
        var writer = new StateWriter(bytes.Span);
        exported.Write(ref writer);
        writer.ExpectEnd();
        return bytes;
    }

    public void WriteByte(byte value) => WriteBytes([value]);

    public void WriteFlag(bool value) => WriteByte(value ? (byte)1 : (byte)0);

    public void WriteUInt16(ushort value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        WriteBytes(bytes);
    }

    public void WriteUInt32(uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        WriteBytes(bytes);
    }

    /// <summary>A time as Unix seconds, 8 bytes.</summary>
    public void WriteTime(DateTimeOffset value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value.ToUnixTimeSeconds());
        WriteBytes(bytes);
    }

    public void WriteBytes(scoped ReadOnlySpan<byte> value)
    {
        if (!_isMeasuring)
        {
            value.CopyTo(_destination[_written..]);
        }

        _written += value.Length;
    }

    public readonly void ExpectEnd()
    {
        if (_written != _destination.Length)
        {
            throw new UnreachableException("A field was not written.");
        }
    }
}
