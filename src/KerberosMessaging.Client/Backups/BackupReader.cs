using System.Buffers.Binary;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Client.Backups;

/// <summary>
/// Reads the records of a backup. Each was verified when it comes, but only when <see cref="TryRead"/> says that there are no more
/// is it known that they are all.
/// </summary>
internal sealed class BackupReader : IDisposable
{
    private readonly Stream _source;
    private readonly AuthenticatedCbc _cipher;

    // With room for the padding.
    private readonly byte[] _chunk = GC.AllocateUninitializedArray<byte>(BackupFormat.SealedChunkSize, pinned: true);
    private byte[] _body = GC.AllocateUninitializedArray<byte>(BackupFormat.ChunkSize, pinned: true);

    // One chunk ahead: the last one was sealed as the last.
    private byte[] _sealed = new byte[BackupFormat.SealedChunkSize];
    private byte[] _ahead = new byte[BackupFormat.SealedChunkSize];
    private int _sealedLength;
    private int _length;
    private int _position;
    private long _index;
    private bool _isLast;

    /// <summary>Begins behind the header.</summary>
    /// <param name="source">The chunks; it stays the caller's.</param>
    /// <param name="key">From <see cref="BackupFormat.DeriveKey"/>.</param>
    public BackupReader(Stream source, SecretBytes key)
    {
        (_source, _cipher) = (source, new AuthenticatedCbc(key.Span));
        _sealedLength = Fill(_sealed);
    }

    /// <summary>The next record.</summary>
    /// <param name="tag">What it is.</param>
    /// <param name="body">Its body, until the next call.</param>
    /// <returns>False behind the last one.</returns>
    /// <exception cref="BackupException">It is not what was written.</exception>
    public bool TryRead(out BackupTag tag, out ReadOnlySpan<byte> body)
    {
        tag = default;
        body = default;
        if (_position == _length && !TryOpenNext())
        {
            return false;
        }

        Span<byte> header = stackalloc byte[BackupFormat.RecordHeaderSize];
        ReadExactly(header);
        var length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (length > BackupFormat.LargestBody)
        {
            throw new BackupException("it is damaged");
        }

        if (_body.Length < length)
        {
            CryptographicOperations.ZeroMemory(_body);
            _body = GC.AllocateUninitializedArray<byte>(BackupFormat.LargestBody, pinned: true);
        }

        ReadExactly(_body.AsSpan(0, (int)length));
        tag = (BackupTag)header[0];
        body = _body.AsSpan(0, (int)length);
        return true;
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_chunk);
        CryptographicOperations.ZeroMemory(_body);
        _cipher.Dispose();
    }

    private void ReadExactly(Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            if (_position == _length && !TryOpenNext())
            {
                throw new BackupException("it ends in the middle");
            }

            var taken = _chunk.AsSpan(_position, Math.Min(destination.Length, _length - _position));
            taken.CopyTo(destination);
            _position += taken.Length;
            destination = destination[taken.Length..];
        }
    }

    private bool TryOpenNext()
    {
        if (_isLast)
        {
            return false;
        }

        var aheadLength = _sealedLength < _sealed.Length ? 0 : Fill(_ahead);
        _isLast = aheadLength == 0;
        if (!_cipher.TryOpen(_sealed.AsSpan(0, _sealedLength), BackupFormat.PlaceOf(_index, _isLast), _chunk, out _length))
        {
            throw new BackupException(_index == 0 ? "it is damaged, or opens with another passphrase" : "it is damaged");
        }

        _position = 0;
        _index++;
        (_sealed, _ahead, _sealedLength) = (_ahead, _sealed, aheadLength);

        // An empty last chunk holds no record.
        return _length > 0;
    }

    private int Fill(byte[] buffer)
    {
        try
        {
            return _source.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        }
        catch (IOException e)
        {
            throw new BackupException(e.Message, e);
        }
    }
}
