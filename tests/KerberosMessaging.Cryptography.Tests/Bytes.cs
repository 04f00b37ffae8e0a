using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography.Tests;

internal static class Bytes
{
    public static byte[] Counting(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)i)];

    public static byte[] Random(int length) => RandomNumberGenerator.GetBytes(length);

    public static byte[] Flip(ReadOnlySpan<byte> original, int position, byte mask = 1)
    {
        var changed = original.ToArray();
        changed[position] ^= mask;
        return changed;
    }
}
