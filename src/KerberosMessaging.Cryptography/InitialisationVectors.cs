using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>
/// Random blocks from which initialisation vectors are made, fetched in bulk: one question to the random generator takes as
/// long as sealing a short record does. Nobody outside this process sees what waits here, and nothing secret depends on
/// it once it is used. Never for keys.
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
