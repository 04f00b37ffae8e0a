using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>Seals what is written to it, chunk by chunk; see <see cref="SealedFormat"/>. Without <see cref="Complete"/> the backup is none.</summary>
internal sealed class SealingStream : SequentialStream
{
    private readonly Stream _destination;
    private readonly AuthenticatedCbc _cipher;
    private readonly byte[] _chunk = GC.AllocateUninitializedArray<byte>(SealedFormat.ChunkSize, pinned: true);
    private readonly byte[] _sealed = new byte[SealedFormat.SealedChunkSize];
    private int _length;
    private long _index;

    /// <summary>Writes a header and goes on behind it.</summary>
    /// <param name="destination">Stays the caller's.</param>
    /// <param name="key">Stays the caller's.</param>
    public SealingStream(Stream destination, BackupKey key)
    {
        var header = SealedFormat.NewHeader();
        using var derived = key.Derive(header);
        (_destination, _cipher) = (destination, new AuthenticatedCbc(derived.Span));
        destination.Write(header);
    }

    public override bool CanWrite => true;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            // A full chunk waits for what follows: it may be the last.
            if (_length == _chunk.Length)
            {
                Seal(isLast: false);
            }

            var taken = buffer[..Math.Min(buffer.Length, _chunk.Length - _length)];
            taken.CopyTo(_chunk.AsSpan(_length));
            _length += taken.Length;
            buffer = buffer[taken.Length..];
        }
    }

    /// <summary>Seals the last chunk.</summary>
    public void Complete() => Seal(isLast: true);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            CryptographicOperations.ZeroMemory(_chunk);
            _cipher.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Seal(bool isLast)
    {
        var sealedBytes = _sealed.AsSpan(0, AuthenticatedCbc.SealedLength(_length));
        _cipher.Seal(_chunk.AsSpan(0, _length), SealedFormat.PlaceOf(_index, isLast), sealedBytes);
        _destination.Write(sealedBytes);
        _length = 0;
        _index++;
    }
}
