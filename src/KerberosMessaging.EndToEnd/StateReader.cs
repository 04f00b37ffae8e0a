using System.Buffers.Binary;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// Reads the big-endian fields of a stored state and refuses anything that this library would not have written.
/// </summary>
internal ref struct StateReader(ReadOnlySpan<byte> source)
{
    private static readonly long EarliestTime = DateTimeOffset.MinValue.ToUnixTimeSeconds();
    private static readonly long LatestTime = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    private ReadOnlySpan<byte> _rest = source;

    public static EndToEndException Refused() => new("The stored state is not one that this version wrote.");

    public byte ReadByte() => ReadBytes(1)[0];

    public bool ReadFlag() => ReadByte() switch
    {
        0 => false,
        1 => true,
        _ => throw Refused(),
    };

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(ReadBytes(sizeof(ushort)));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(ReadBytes(sizeof(uint)));

    /// <summary>A time as Unix seconds, 8 bytes.</summary>
    public DateTimeOffset ReadTime()
    {
        var seconds = BinaryPrimitives.ReadInt64BigEndian(ReadBytes(sizeof(long)));
        return seconds >= EarliestTime && seconds <= LatestTime ? DateTimeOffset.FromUnixTimeSeconds(seconds) : throw Refused();
    }

    public SecretBytes ReadSecret(int count) => new(ReadBytes(count));

    public ReadOnlySpan<byte> ReadBytes(int count)
    {
        if (_rest.Length < count)
        {
            throw Refused();
        }

        var bytes = _rest[..count];
        _rest = _rest[count..];
        return bytes;
    }

    public byte[] ReadPrekeyHeader()
    {
        if (!PrekeyHeader.TryParse(_rest, out var header))
        {
            throw Refused();
        }

        return ReadBytes(header.Bytes.Length).ToArray();
    }

    public int ReadCount(int limit)
    {
        int count = ReadUInt16();
        return count <= limit ? count : throw Refused();
    }

    public void ExpectVersion(byte version)
    {
        if (ReadByte() != version)
        {
            throw Refused();
        }
    }

    public readonly void ExpectEnd()
    {
        if (!_rest.IsEmpty)
        {
            throw Refused();
        }
    }
}
