using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// The one token that opens the admin API. Only its SHA-256 is kept, in memory and on disk: a made token has 256 random
/// bits, so there is nothing for a slow hash to protect.
/// </summary>
[DebuggerDisplay("[redacted]")]
public sealed class AdminToken
{
    /// <summary>What every token made here starts with, so that secret scanners and people recognise one.</summary>
    public const string Prefix = "kmsg_admin_";

    /// <summary>A token from a file may not be shorter.</summary>
    public const int MinLength = 16;

    /// <summary>No token is longer; a longer one is refused unhashed.</summary>
    public const int MaxLength = 512;

    private const int RandomLength = 32;

    private readonly byte[] _hash;

    private AdminToken(byte[] hash, string? newlyMade)
    {
        _hash = hash;
        NewlyMade = newlyMade;
    }

    /// <summary>
    /// The token, if this very start made it: for the server to print once, because it can never be shown again.
    /// Otherwise <see langword="null"/>.
    /// </summary>
    public string? NewlyMade { get; }

    /// <summary>
    /// Takes the token from <see cref="AdminOptions.TokenFile"/> if that is set; else reads the hash of the one made
    /// earlier; else makes one and stores its hash.
    /// </summary>
    /// <param name="options">Where the files are.</param>
    /// <returns>The token to check requests against.</returns>
    /// <exception cref="AdminTokenException">A file is missing, unreadable or holds something else.</exception>
    public static AdminToken LoadOrCreate(AdminOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);

        if (!string.IsNullOrWhiteSpace(options.TokenFile))
        {
            return new AdminToken(Hash(AdminTokenFile.ReadToken(options.TokenFile)), newlyMade: null);
        }

        if (AdminTokenFile.TryReadHash(options.TokenHashFile, out var stored))
        {
            return new AdminToken(stored, newlyMade: null);
        }

        var token = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomLength));
        var hash = Hash(token);
        if (AdminTokenFile.TryStoreHash(options.TokenHashFile, hash))
        {
            return new AdminToken(hash, token);
        }

        // Another process stored its own first; that one printed a token, so that one counts.
        return AdminTokenFile.TryReadHash(options.TokenHashFile, out stored)
            ? new AdminToken(stored, newlyMade: null)
            : throw new AdminTokenException($"The admin token hash file '{options.TokenHashFile}' appeared and vanished again.");
    }

    /// <summary>Whether a presented token is the right one, in a time that does not tell how nearly.</summary>
    /// <param name="presented">What came with the request.</param>
    /// <returns><see langword="true"/> for the right token only.</returns>
    public bool Matches(ReadOnlySpan<char> presented) =>
        presented.Length <= MaxLength && CryptographicOperations.FixedTimeEquals(Hash(presented), _hash);

    /// <summary>Never the token.</summary>
    /// <returns><c>[redacted]</c>.</returns>
    public override string ToString() => "[redacted]";

    private static byte[] Hash(ReadOnlySpan<char> token)
    {
        Span<byte> utf8 = stackalloc byte[MaxLength * 3];
        var length = Encoding.UTF8.GetBytes(token, utf8);
        var hash = SHA256.HashData(utf8[..length]);
        CryptographicOperations.ZeroMemory(utf8[..length]);
        return hash;
    }
}
