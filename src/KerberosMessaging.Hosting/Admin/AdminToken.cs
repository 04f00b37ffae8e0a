using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// The admin token that the server's files name, of the role admin. Only its SHA-256 is kept, in memory and on disk: a made token
/// has 256 random bits, so there is nothing for a slow hash to protect.
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

    private AdminToken(byte[] hash, string? newlyMade)
    {
        Hash = hash;
        NewlyMade = newlyMade;
    }

    /// <summary>
    /// The token, if this very start made it: for the server to print once, because it can never be shown again.
    /// Otherwise <see langword="null"/>.
    /// </summary>
    public string? NewlyMade { get; }

    /// <summary>Its SHA-256.</summary>
    internal byte[] Hash { get; }

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
            return new AdminToken(HashOf(AdminTokenFile.ReadToken(options.TokenFile)), newlyMade: null);
        }

        if (AdminTokenFile.TryReadHash(options.TokenHashFile, out var stored))
        {
            return new AdminToken(stored, newlyMade: null);
        }

        var token = Make();
        var hash = HashOf(token);
        if (AdminTokenFile.TryStoreHash(options.TokenHashFile, hash))
        {
            return new AdminToken(hash, token);
        }

        // Another process stored its own first; that one printed a token, so that one counts.
        return AdminTokenFile.TryReadHash(options.TokenHashFile, out stored)
            ? new AdminToken(stored, newlyMade: null)
            : throw new AdminTokenException($"The admin token hash file '{options.TokenHashFile}' appeared and vanished again.");
    }

    /// <summary>Never the token.</summary>
    /// <returns><c>[redacted]</c>.</returns>
    public override string ToString() => "[redacted]";

    /// <summary>A token of 256 random bits.</summary>
    internal static string Make() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomLength));

    /// <summary>What is kept of a token of at most <see cref="MaxLength"/> characters.</summary>
    internal static byte[] HashOf(ReadOnlySpan<char> token)
    {
        Span<byte> utf8 = stackalloc byte[MaxLength * 3];
        var length = Encoding.UTF8.GetBytes(token, utf8);
        var hash = SHA256.HashData(utf8[..length]);
        CryptographicOperations.ZeroMemory(utf8[..length]);
        return hash;
    }
}
