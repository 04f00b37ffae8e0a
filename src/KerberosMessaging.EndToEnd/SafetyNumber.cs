using System.Security.Cryptography;
using System.Text;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The number by which two people compare the identity keys of all their devices, over a channel of their own. Made as
/// Signal makes its numeric fingerprints:
/// <code>
/// keys   = the identities of one side's devices, 64 bytes each, without repetitions, sorted as byte strings
/// hash 0 = version (2 bytes, 0x0001) || client id (16) || keys
/// hash n = SHA-512(hash n-1 || keys)                                        n = 1 … 5200
/// half   = six times five digits: bytes 5i … 5i+4 of hash 5200 as a big-endian number, modulo 100000, zero-padded
/// number = the smaller half followed by the larger, compared as text
/// </code>
/// The repetition makes it costly to look for keys whose number resembles another: 30 digits are about 100 bits.
/// </summary>
public static class SafetyNumber
{
    /// <summary>The number of digits.</summary>
    public const int DigitCount = 60;

    private const int ClientIdSize = 16;
    private const int Iterations = 5200;
    private const int ChunkSize = 5;
    private const int ChunksPerSide = 6;

    private static ReadOnlySpan<byte> Version => [0x00, 0x01];

    /// <summary>Computes the number. Both sides get the same.</summary>
    /// <param name="ownClientId">The own client id, 16 bytes.</param>
    /// <param name="ownDevices">The identities of all own devices, in any order.</param>
    /// <param name="peerClientId">The peer's client id, 16 bytes.</param>
    /// <param name="peerDevices">The identities of all the peer's devices, in any order.</param>
    /// <returns>60 digits; <see cref="Format"/> groups them for people.</returns>
    /// <exception cref="ArgumentException">An id is not 16 bytes long, or a side has no devices.</exception>
    public static string Compute(
        ReadOnlySpan<byte> ownClientId,
        IEnumerable<PublicDeviceIdentity> ownDevices,
        ReadOnlySpan<byte> peerClientId,
        IEnumerable<PublicDeviceIdentity> peerDevices)
    {
        ArgumentNullException.ThrowIfNull(ownDevices);
        ArgumentNullException.ThrowIfNull(peerDevices);
        var own = Half(ownClientId, ownDevices);
        var peer = Half(peerClientId, peerDevices);
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

    private static string Half(ReadOnlySpan<byte> clientId, IEnumerable<PublicDeviceIdentity> devices)
    {
        if (clientId.Length != ClientIdSize)
        {
            throw new ArgumentException("A client id has 16 bytes.");
        }

        var keys = devices
            .Distinct()
            .Select(device => device.ToBytes())
            .Order(Comparer<byte[]>.Create((x, y) => x.AsSpan().SequenceCompareTo(y)))
            .SelectMany(bytes => bytes)
            .ToArray();
        if (keys.Length == 0)
        {
            throw new ArgumentException("Without devices there is nothing to compare.");
        }

        byte[] first = [.. Version, .. clientId, .. keys];
        var input = new byte[SHA512.HashSizeInBytes + keys.Length];
        SHA512.HashData([.. first, .. keys], input);
        keys.CopyTo(input.AsSpan(SHA512.HashSizeInBytes));
        for (var i = 1; i < Iterations; i++)
        {
            SHA512.HashData(input, input.AsSpan(0, SHA512.HashSizeInBytes));
        }

        var digits = new StringBuilder(ChunkSize * ChunksPerSide);
        for (var chunk = 0; chunk < ChunksPerSide; chunk++)
        {
            ulong value = 0;
            foreach (var b in input.AsSpan(chunk * ChunkSize, ChunkSize))
            {
                value = (value << 8) | b;
            }

            digits.Append(System.Globalization.CultureInfo.InvariantCulture, $"{value % 100000:D5}");
        }

        return digits.ToString();
    }
}
