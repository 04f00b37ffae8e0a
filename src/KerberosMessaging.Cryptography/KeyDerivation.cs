using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace KerberosMessaging.Cryptography;

/// <summary>
/// HKDF with SHA-512 (RFC 5869), with labels that keep the purposes of derived keys apart. libsodium's, because it costs half
/// of what the framework's does, and every sealed thing begins with it.
/// </summary>
public static class KeyDerivation
{
    /// <summary>The size in bytes of an extracted key.</summary>
    public const int PseudorandomKeySize = SHA512.HashSizeInBytes;

    private const int LargestOutput = 255 * SHA512.HashSizeInBytes;
    private const int LargestLabel = 255;
    private const int LargestStackInfo = 256;

    /// <summary>HKDF-Extract, RFC 5869 section 2.2.</summary>
    /// <param name="salt">The salt; empty counts as 64 zero bytes.</param>
    /// <param name="inputKey">The secret to concentrate, of any length.</param>
    /// <param name="prk">Receives the pseudorandom key, 64 bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="prk"/> is not 64 bytes long.</exception>
    public static void Extract(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> inputKey, Span<byte> prk)
    {
        Require.Length(prk, PseudorandomKeySize);
        // It has no way to fail.
        _ = SodiumNative.crypto_kdf_hkdf_sha512_extract(
            prk, salt, (nuint)salt.Length, inputKey, (nuint)inputKey.Length);
    }

    /// <summary>HKDF-Expand, RFC 5869 section 2.3, with info = ASCII(label).</summary>
    /// <param name="prk">The pseudorandom key, 64 bytes.</param>
    /// <param name="label">The purpose, in ASCII without a zero character.</param>
    /// <param name="output">Receives the derived key, 1 to 16,320 bytes. Must not overlap the key.</param>
    /// <exception cref="ArgumentException">A length is out of range, or the label is not such ASCII.</exception>
    public static void Expand(ReadOnlySpan<byte> prk, string label, Span<byte> output)
    {
        Span<byte> info = stackalloc byte[LargestStackInfo];
        ExpandRaw(prk, info[..WriteLabel(label, info)], output);
    }

    /// <summary>
    /// HKDF-Expand, RFC 5869 section 2.3, with info = ASCII(label) || 0x00 || context. The zero byte, which no
    /// label contains, keeps one label's context from reading as a part of a longer label.
    /// </summary>
    /// <param name="prk">The pseudorandom key, 64 bytes.</param>
    /// <param name="label">The purpose, in ASCII without a zero character.</param>
    /// <param name="context">What the key is bound to; may be empty.</param>
    /// <param name="output">Receives the derived key, 1 to 16,320 bytes. Must not overlap the key.</param>
    /// <exception cref="ArgumentException">A length is out of range, or the label is not such ASCII.</exception>
    public static void Expand(
        ReadOnlySpan<byte> prk, string label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        ArgumentNullException.ThrowIfNull(label);
        var needed = label.Length + 1 + context.Length;
        var rented = needed > LargestStackInfo ? ArrayPool<byte>.Shared.Rent(needed) : null;
        try
        {
            var info = rented is null ? stackalloc byte[LargestStackInfo] : rented.AsSpan();
            var written = WriteLabel(label, info);
            info[written++] = 0;
            context.CopyTo(info[written..]);
            ExpandRaw(prk, info[..needed], output);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented, clearArray: true);
            }
        }
    }

    /// <summary>HKDF-Expand with info of the caller's own making, for protocols that define theirs.</summary>
    internal static void ExpandRaw(ReadOnlySpan<byte> prk, ReadOnlySpan<byte> info, Span<byte> output)
    {
        // libsodium reads the key and the info again for each block of output, and fails for nothing but its length.
        Require.Length(prk, PseudorandomKeySize);
        if (output.IsEmpty || output.Length > LargestOutput || output.Overlaps(prk) || output.Overlaps(info))
        {
            throw new ArgumentException($"1 to {LargestOutput} bytes apart from the key are needed.", nameof(output));
        }

        _ = SodiumNative.crypto_kdf_hkdf_sha512_expand(output, (nuint)output.Length, info, (nuint)info.Length, prk);
    }

    private static int WriteLabel(string label, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(label);
        var written = 0;
        if (label.Length > LargestLabel
            || label.Contains('\0')
            || Ascii.FromUtf16(label, destination, out written) != OperationStatus.Done)
        {
            throw new ArgumentException("A label is at most 255 ASCII characters, none of them zero.", nameof(label));
        }

        return written;
    }
}
