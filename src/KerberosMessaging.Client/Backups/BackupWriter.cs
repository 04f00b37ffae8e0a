using System.Buffers.Binary;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Client.Backups;

/// <summary>Writes the records of a backup and seals them chunk by chunk.</summary>
internal sealed class BackupWriter(Stream destination, SecretBytes key) : IDisposable
{
    private readonly AuthenticatedCbc _cipher = new(key.Span);
    private readonly byte[] _chunk = GC.AllocateUninitializedArray<byte>(BackupFormat.ChunkSize, pinned: true);
    private readonly byte[] _sealed = new byte[BackupFormat.SealedChunkSize];
    private int _length;
    private long _index;

    public void Write(BackupTag tag, ReadOnlySpan<byte> body)
    {
        if (body.Length > BackupFormat.LargestBody)
        {
            throw new ArgumentException($"A record of a backup has at most {BackupFormat.LargestBody} bytes.", nameof(body));
        }

        Span<byte> header = stackalloc byte[BackupFormat.RecordHeaderSize];
        header[0] = (byte)tag;
        BinaryPrimitives.WriteInt32BigEndian(header[1..], body.Length);
        Append(header);
        Append(body);
    }

    /// <summary>Seals the last chunk: without it the backup is none.</summary>
    public void Complete() => Seal(isLast: true);

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_chunk);
        _cipher.Dispose();
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            // A full chunk waits for what follows: it may be the last.
            if (_length == _chunk.Length)
            {
                Seal(isLast: false);
            }

            var taken = bytes[..Math.Min(bytes.Length, _chunk.Length - _length)];
            taken.CopyTo(_chunk.AsSpan(_length));
            _length += taken.Length;
            bytes = bytes[taken.Length..];
        }
    }

    private void Seal(bool isLast)
    {
        var sealedBytes = _sealed.AsSpan(0, AuthenticatedCbc.SealedLength(_length));
        _cipher.Seal(_chunk.AsSpan(0, _length), BackupFormat.PlaceOf(_index, isLast), sealedBytes);
        try
        {
            destination.Write(sealedBytes);
        }
        catch (IOException e)
        {
            // Not the store's, within whose transaction this is.
            throw new BackupException(e.Message, e);
        }

        _length = 0;
        _index++;
    }
}
