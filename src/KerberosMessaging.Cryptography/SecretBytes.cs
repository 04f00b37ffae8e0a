using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>
/// Secret bytes of a fixed length which are erased when disposed. The array is pinned, so the garbage collector
/// cannot leave copies of it behind; it never prints its content.
/// </summary>
public sealed class SecretBytes : IDisposable
{
    private readonly byte[] _bytes;
    private bool _disposed;

    /// <summary>Creates <paramref name="length"/> zero bytes, to be filled through <see cref="Span"/>.</summary>
    /// <param name="length">The length in bytes; zero is allowed.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative.</exception>
    public SecretBytes(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        _bytes = GC.AllocateArray<byte>(length, pinned: true);
    }

    /// <summary>Copies <paramref name="value"/>; erasing the original stays the caller's duty.</summary>
    /// <param name="value">The bytes to copy.</param>
    public SecretBytes(ReadOnlySpan<byte> value)
        : this(value.Length) => value.CopyTo(_bytes);

    /// <summary>The length in bytes; it stays readable after disposal.</summary>
    public int Length => _bytes.Length;

    /// <summary>The bytes themselves. Do not keep the span beyond the life of this object.</summary>
    /// <exception cref="ObjectDisposedException">The bytes were already erased.</exception>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _bytes;
        }
    }

    /// <summary>Creates bytes from the operating system's random generator.</summary>
    /// <param name="length">The length in bytes.</param>
    /// <returns>A new secret owned by the caller.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative.</exception>
    public static SecretBytes Random(int length)
    {
        var secret = new SecretBytes(length);
        RandomNumberGenerator.Fill(secret.Span);
        return secret;
    }

    /// <summary>Makes an independent copy with a lifetime of its own.</summary>
    /// <returns>A new secret owned by the caller.</returns>
    /// <exception cref="ObjectDisposedException">The bytes were already erased.</exception>
    public SecretBytes Clone() => new(Span);

    /// <summary>Erases the bytes. Further disposals do nothing.</summary>
    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_bytes);
    }

    /// <summary>Never shows the content.</summary>
    /// <returns>The text <c>[redacted]</c>.</returns>
    public override string ToString() => Redacted.Text;
}
