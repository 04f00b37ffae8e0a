using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>
/// Reads a sealed backup. All that it gives was verified, but only its end tells that nothing is missing: what reads it must read to the end.
/// </summary>
internal sealed class OpeningStream : SequentialStream
{
    private readonly Stream _source;
    private readonly AuthenticatedCbc _cipher;

    // With room for the padding.
    private readonly byte[] _chunk = GC.AllocateUninitializedArray<byte>(SealedFormat.SealedChunkSize, pinned: true);

    // One chunk ahead: the last one was sealed as the last.
    private byte[] _sealed = new byte[SealedFormat.SealedChunkSize];
    private byte[] _ahead = new byte[SealedFormat.SealedChunkSize];
    private int _sealedLength;
    private int _length;
    private int _position;
    private long _index;
    private bool _isLast;

    /// <summary>Begins behind the header.</summary>
    /// <param name="source">Stays the caller's.</param>
    /// <param name="header">The header.</param>
    /// <param name="key">Stays the caller's.</param>
    public OpeningStream(Stream source, ReadOnlySpan<byte> header, BackupKey key)
    {
        using var derived = key.Derive(header);
        (_source, _cipher) = (source, new AuthenticatedCbc(derived.Span));
        _sealedLength = Fill(_sealed);
    }

    public override bool CanRead => true;

    /// <exception cref="BackupException">It is not what was written.</exception>
    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || (_position == _length && !TryOpenNext()))
        {
            return 0;
        }

        var taken = _chunk.AsSpan(_position, Math.Min(buffer.Length, _length - _position));
        taken.CopyTo(buffer);
        _position += taken.Length;
        return taken.Length;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            CryptographicOperations.ZeroMemory(_chunk);
            _cipher.Dispose();
        }

        base.Dispose(disposing);
    }

    private bool TryOpenNext()
    {
        if (_isLast)
        {
            return false;
        }

        var aheadLength = _sealedLength < _sealed.Length ? 0 : Fill(_ahead);
        _isLast = aheadLength == 0;
        if (!_cipher.TryOpen(_sealed.AsSpan(0, _sealedLength), SealedFormat.PlaceOf(_index, _isLast), _chunk, out _length))
        {
            throw new BackupException(_index == 0 ? "it is damaged, or opens with another key" : "it is damaged");
        }

        _position = 0;
        _index++;
        (_sealed, _ahead, _sealedLength) = (_ahead, _sealed, aheadLength);

        // Only the last chunk can be empty.
        return _length > 0;
    }

    private int Fill(byte[] buffer) => _source.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
}
