using System.Runtime.CompilerServices;

namespace KerberosMessaging.Cryptography;

/// <summary>Checks of buffers the calling code provides; data from a peer never reaches these.</summary>
internal static class Require
{
    internal static void Length(
        ReadOnlySpan<byte> value, int expected, [CallerArgumentExpression(nameof(value))] string? name = null)
    {
        if (value.Length != expected)
        {
            throw new ArgumentException($"Exactly {expected} bytes are needed, not {value.Length}.", name);
        }
    }

    /// <summary>RFC 9497 and RFC 9807 write such lengths in two bytes.</summary>
    internal static void FitsTwoByteLength(
        ReadOnlySpan<byte> value, [CallerArgumentExpression(nameof(value))] string? name = null)
    {
        if (value.Length > ushort.MaxValue)
        {
            throw new ArgumentException($"At most {ushort.MaxValue} bytes are allowed, not {value.Length}.", name);
        }
    }
}
