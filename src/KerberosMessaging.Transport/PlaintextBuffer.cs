using System.Buffers;
using System.Security.Cryptography;

namespace KerberosMessaging.Transport;

/// <summary>Where a payload is put together before it is sealed. Holds nothing between two payloads.</summary>
internal sealed class PlaintextBuffer : IBufferWriter<byte>
{
    private const int SmallestRented = 512;

    private byte[] _bytes = [];
    private int _written;

    /// <summary>What was written; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _written);

    /// <summary>What was written from a place on, to be changed.</summary>
    public Span<byte> Change(int start) => _bytes.AsSpan(start, _written - start);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_bytes.Length - _written));
        _written += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Ensure(sizeHint);
        return _bytes.AsMemory(_written);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Ensure(sizeHint);
        return _bytes.AsSpan(_written);
    }

    /// <summary>Zeroes what was written and gives the memory back.</summary>
    public void Return()
    {
        if (_bytes.Length > 0)
        {
            CryptographicOperations.ZeroMemory(_bytes.AsSpan(0, _written));
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
            _written = 0;
        }
    }

    private void Ensure(int sizeHint)
    {
        if (_bytes.Length - _written >= Math.Max(sizeHint, 1))
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(_bytes.Length * 2, _written + sizeHint), SmallestRented));
        var written = _written;
        _bytes.AsSpan(0, written).CopyTo(larger);
        Return();
        _bytes = larger;
        _written = written;
    }
}
