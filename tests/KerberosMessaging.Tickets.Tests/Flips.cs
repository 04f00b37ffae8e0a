namespace KerberosMessaging.Tickets.Tests;

internal static class Flips
{
    /// <summary>Copies of some bytes, each with another single bit changed.</summary>
    public static IEnumerable<byte[]> Of(byte[] bytes)
    {
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var copy = bytes.ToArray();
            copy[bit / 8] ^= (byte)(1 << (bit % 8));
            yield return copy;
        }
    }

    /// <summary>Everything shorter than some bytes, and the bytes with one more.</summary>
    public static IEnumerable<byte[]> Lengths(byte[] bytes)
    {
        for (var length = 0; length < bytes.Length; length++)
        {
            yield return bytes[..length];
        }

        yield return [.. bytes, 0];
    }
}
