using System.Buffers;
using System.Security.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>A buffer for fields that are about to be sealed; zeroed when done.</summary>
internal sealed class SealedWriter : IBufferWriter<byte>, IDisposable
{
    // Larger than any part sealed here, so that it never grows and leaves no copy behind.
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(ProtocolLimits.SealedPartBytes, pinned: true);
    private int _written;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _written);

    public void Advance(int count) => _written += count;

    public Memory<byte> GetMemory(int sizeHint = 0) => _buffer.AsMemory(_written);

    public Span<byte> GetSpan(int sizeHint = 0) => _buffer.AsSpan(_written);

    public void Dispose() => CryptographicOperations.ZeroMemory(_buffer);
}
