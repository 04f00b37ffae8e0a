using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>Reads and writes the two kinds of token file; everything that can go wrong becomes one readable line.</summary>
internal static class AdminTokenFile
{
    // The algorithm stands beside the hash, so that a later one can tell its files from these.
    private const string HashPrefix = "sha256:";

    // Far more than either kind of file needs; a path pointing at something else must not be read into memory.
    private const int MaxFileLength = 4096;

    // Storing takes some milliseconds; two seconds are enough for many starts at once.
    private const int LockAttempts = 200;

    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(10);

    /// <summary>The token in a file the operator provides; white space around it is not part of it.</summary>
    public static string ReadToken(string path)
    {
        var token = (ReadText(path, "token file") ?? throw new AdminTokenException($"The admin token file '{path}' does not exist.")).Trim();
        if (token.Length == 0)
        {
            throw new AdminTokenException($"The admin token file '{path}' is empty.");
        }

        if (token.Length is < AdminToken.MinLength or > AdminToken.MaxLength)
        {
            throw new AdminTokenException(
                $"The token in the admin token file '{path}' has {token.Length} characters; {AdminToken.MinLength} to {AdminToken.MaxLength} are needed.");
        }

        // Anything else could never arrive: an Authorization header carries visible ASCII without spaces.
        if (token.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw new AdminTokenException($"The token in the admin token file '{path}' must be one line of visible ASCII characters without spaces.");
        }

        return token;
    }

    /// <summary>The stored hash, or <see langword="false"/> when none was stored yet.</summary>
    public static bool TryReadHash(string path, [NotNullWhen(true)] out byte[]? hash)
    {
        hash = null;
        if (ReadText(path, "token hash file") is not { } text)
        {
            return false;
        }

        var line = text.AsSpan().Trim();
        if (!line.StartsWith(HashPrefix, StringComparison.Ordinal) || line.Length != HashPrefix.Length + (SHA256.HashSizeInBytes * 2))
        {
            throw Malformed(path);
        }

        try
        {
            hash = Convert.FromHexString(line[HashPrefix.Length..]);
            return true;
        }
        catch (FormatException)
        {
            throw Malformed(path);
        }
    }

    /// <summary>Stores a hash whole or not at all; <see langword="false"/> when a file is there already, which then stays.</summary>
    public static bool TryStoreHash(string path, ReadOnlySpan<byte> hash)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory)
            {
                Directory.CreateDirectory(directory);
            }

            // File.Move looks whether the target exists and then renames over it: of several starts at once, more than
            // one could believe to have stored its hash.
            using var turn = WaitForTurn($"{path}.lock");
            if (File.Exists(path))
            {
                return false;
            }

            WritePrivately(temporary, hash);
            File.Move(temporary, path, overwrite: false);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(temporary);
            throw new AdminTokenException($"The admin token hash file '{path}' cannot be written: {Reason(e)}.", e);
        }
    }

    // The operating system gives the lock back when its holder dies, so the file may stay.
    private static FileStream WaitForTurn(string path)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path) && attempt < LockAttempts)
            {
                Thread.Sleep(LockPause);
            }
        }
    }

    private static void WritePrivately(string path, ReadOnlySpan<byte> hash)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var stream = new FileStream(path, options);
        stream.Write(System.Text.Encoding.ASCII.GetBytes($"{HashPrefix}{Convert.ToHexStringLower(hash)}\n"));

        // The token is shown once, right after this: its hash must outlive a power cut that follows.
        stream.Flush(flushToDisk: true);
    }

    private static string? ReadText(string path, string what)
    {
        try
        {
            using var reader = new StreamReader(path);
            var buffer = new char[MaxFileLength + 1];
            var length = reader.ReadBlock(buffer);
            return length <= MaxFileLength
                ? new string(buffer, 0, length)
                : throw new AdminTokenException($"The admin {what} '{path}' is too large to be one.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdminTokenException($"The admin {what} '{path}' cannot be read: {Reason(e)}.", e);
        }
    }

    private static AdminTokenException Malformed(string path) =>
        new($"The admin token hash file '{path}' does not hold a token hash; delete it to have a new token made.");

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A left-over temporary file holds nothing secret; the failure that led here is the one to report.
        }
    }

    // The system's own text repeats the path and may span lines.
    private static string Reason(Exception e) => e is UnauthorizedAccessException ? "access is denied" : "the file system refused";
}
