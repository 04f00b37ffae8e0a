using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>
/// Random initialisation vectors, fetched in bulk: one question to the random generator takes longer than sealing a short
/// record does. What waits here is public once it is used, and nobody outside this process sees it before. Never for keys.
/// </summary>
internal static class InitialisationVectors
{
    private const int FetchedAtOnce = 64 * AuthenticatedCbc.IvSize;

    [ThreadStatic]
    private static byte[]? _fetched;

    [ThreadStatic]
    private static int _left;

    /// <summary>Gives 16 random bytes that were never given before.</summary>
    internal static void Next(Span<byte> iv)
    {
        var fetched = _fetched ??= new byte[FetchedAtOnce];
        if (_left == 0)
        {
            RandomNumberGenerator.Fill(fetched);
            _left = FetchedAtOnce;
        }

        _left -= AuthenticatedCbc.IvSize;
        fetched.AsSpan(_left, AuthenticatedCbc.IvSize).CopyTo(iv);
    }
}
