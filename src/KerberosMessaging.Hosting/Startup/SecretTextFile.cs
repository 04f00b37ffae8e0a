using System.Security.Cryptography;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>Reads files that hold a key as text. Everything that can go wrong becomes one readable line.</summary>
internal static class SecretTextFile
{
    /// <summary>What a key file must hold, for whoever made a wrong one.</summary>
    public const string Form = "32 bytes are needed, as 64 hexadecimal digits or base64";

    // Far more than a key needs; a path pointing at something else must not be read into memory.
    private const int LongestFile = 1024;

    /// <summary>Makes a key of the file's text; null for text that is none.</summary>
    public delegate T? Parser<T>(ReadOnlySpan<byte> text)
        where T : class;

    /// <summary>Reads a key file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What it holds, in messages.</param>
    /// <param name="missing">What to do when it is not there.</param>
    /// <param name="parse">Makes a key of its text, which is erased afterwards.</param>
    /// <exception cref="StartupException">It is not there, cannot be read, or holds no key.</exception>
    public static T Read<T>(string path, string what, string missing, Parser<T> parse)
        where T : class
    {
        // Pinned, so that no copy of it stays behind.
        var text = GC.AllocateArray<byte>(LongestFile, pinned: true);
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            var length = stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            return parse(text.AsSpan(0, length)) ?? throw new StartupException($"the {what} file '{path}' does not hold a {what}: {Form}.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new StartupException($"the {what} file '{path}' does not exist: {missing}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"the {what} file '{path}' cannot be read: {Reason(e)}.", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    /// <summary>Why a file could not be used. The system's own text repeats the path and may span lines.</summary>
    public static string Reason(Exception e) => e is UnauthorizedAccessException ? "access is denied" : "the file system refused";
}
