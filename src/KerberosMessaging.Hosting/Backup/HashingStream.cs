using System.Security.Cryptography;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>Computes SHA-256 of what is read through it. It tells its length, as whoever writes an archive asks for that first.</summary>
/// <param name="source">Stays the caller's.</param>
internal sealed class HashingStream(Stream source) : SequentialStream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override long Length => source.Length;

    public override long Position
    {
        get => _read;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var read = source.Read(buffer);
        _hash.AppendData(buffer[..read]);
        _read += read;
        return read;
    }

    /// <summary>What was read so far, as a part of that name.</summary>
    public BackupPart ToPart(string name) => new(name, _read, Convert.ToHexStringLower(_hash.GetHashAndReset()));

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }
}
