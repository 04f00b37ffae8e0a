using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The number by which two people compare their account keys, over a channel of their own. Made as Signal makes its numeric
/// fingerprints:
/// <code>
/// hash 0 = version (2 bytes, 0x0002) || client id (16) || account key (32)
/// hash n = SHA-512(hash n-1 || account key)                                 n = 1 … 5200
/// half   = six times five digits: bytes 5i … 5i+4 of hash 5200 as a big-endian number, modulo 100000, zero-padded
/// number = the smaller half followed by the larger, compared as text
/// </code>
/// The repetition makes it costly to look for keys whose number resembles another: 30 digits are about 100 bits. Devices do not
/// count: an account key vouches for each of its devices.
/// </summary>
public static class SafetyNumber
{
    /// <summary>The number of digits.</summary>
    public const int DigitCount = 60;

    private const int ClientIdSize = 16;
    private const int Iterations = 5200;
    private const int ChunkSize = 5;
    private const int ChunksPerSide = 6;

    private static ReadOnlySpan<byte> Version => [0x00, 0x02];

    /// <summary>Computes the number. Both sides get the same.</summary>
    /// <param name="ownClientId">The own client id, 16 bytes.</param>
    /// <param name="ownAccountKey">The own account key (public), 32 bytes.</param>
    /// <param name="peerClientId">The peer's client id, 16 bytes.</param>
    /// <param name="peerAccountKey">The peer's account key, 32 bytes.</param>
    /// <returns>60 digits; <see cref="Format"/> groups them for people.</returns>
    /// <exception cref="ArgumentException">An id or a key has another length.</exception>
    public static string Compute(
        ReadOnlySpan<byte> ownClientId,
        ReadOnlySpan<byte> ownAccountKey,
        ReadOnlySpan<byte> peerClientId,
        ReadOnlySpan<byte> peerAccountKey)
    {
        var own = Half(ownClientId, ownAccountKey);
        var peer = Half(peerClientId, peerAccountKey);
        return string.CompareOrdinal(own, peer) <= 0 ? own + peer : peer + own;
    }

    /// <summary>Writes a number as twelve groups of five digits.</summary>
    /// <param name="digits">The 60 digits.</param>
    /// <returns>The groups, separated by spaces.</returns>
    /// <exception cref="ArgumentException">These are not 60 digits.</exception>
    public static string Format(string digits)
    {
        ArgumentNullException.ThrowIfNull(digits);
        if (digits.Length != DigitCount || !digits.All(char.IsAsciiDigit))
        {
            throw new ArgumentException("A safety number has 60 digits.", nameof(digits));
        }

        return string.Join(' ', digits.Chunk(ChunkSize).Select(group => new string(group)));
    }

    private static string Half(ReadOnlySpan<byte> clientId, ReadOnlySpan<byte> accountKey)
    {
        if (clientId.Length != ClientIdSize || accountKey.Length != Ed25519.PublicKeySize)
        {
            throw new ArgumentException("A client id has 16 bytes, and an account key 32.");
        }

        Span<byte> input = stackalloc byte[SHA512.HashSizeInBytes + Ed25519.PublicKeySize];
        SHA512.HashData([.. Version, .. clientId, .. accountKey, .. accountKey], input);
        accountKey.CopyTo(input[SHA512.HashSizeInBytes..]);
        for (var i = 1; i < Iterations; i++)
        {
            SHA512.HashData(input, input[..SHA512.HashSizeInBytes]);
        }

        var digits = new StringBuilder(ChunkSize * ChunksPerSide);
        for (var chunk = 0; chunk < ChunksPerSide; chunk++)
        {
            ulong value = 0;
            foreach (var b in input.Slice(chunk * ChunkSize, ChunkSize))
            {
                value = (value << 8) | b;
            }

            digits.Append(CultureInfo.InvariantCulture, $"{value % 100000:D5}");
        }

        return digits.ToString();
    }
}
