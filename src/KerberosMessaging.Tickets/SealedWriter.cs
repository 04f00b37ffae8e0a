using System.Buffers;
using System.Security.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>A buffer for fields that are about to be sealed; zeroed when done.</summary>
internal sealed class SealedWriter : IBufferWriter<byte>, IDisposable
{
    // The pinned heap is collected only with the oldest generation: a buffer for each seal would make that happen often. One
    // for each thread is enough, since sealing does not wait for anything.
    [ThreadStatic]
    private static SealedWriter? _spare;

    // Larger than any part sealed here, so that it never grows and leaves no copy behind.
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(ProtocolLimits.SealedPartBytes, pinned: true);
    private int _written;

    private SealedWriter()
    {
    }

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _written);

    /// <summary>An empty buffer, the caller's until it disposes of it.</summary>
    public static SealedWriter Rent()
    {
        var writer = _spare ?? new SealedWriter();
        _spare = null;
        return writer;
    }

    public void Advance(int count) => _written += count;

    public Memory<byte> GetMemory(int sizeHint = 0) => _buffer.AsMemory(_written);

    public Span<byte> GetSpan(int sizeHint = 0) => _buffer.AsSpan(_written);

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_buffer.AsSpan(0, _written));
        _written = 0;
        _spare = this;
    }
}
