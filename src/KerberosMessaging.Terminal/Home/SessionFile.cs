using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Terminal.Interaction;

namespace KerberosMessaging.Terminal.Home;

/// <summary>
/// The key of an account's store, kept from login to logout so that not every command asks for the password: what a
/// credential cache is to Kerberos. It belongs in the user's runtime directory, which is in memory and is emptied when the
/// user's last session on the machine ends; without one it lies beside the store.
/// </summary>
internal sealed class SessionFile(string pathBesideStore, string home, string account, IShell shell)
{
    private const int MaxSize = 1024;

    private string? RuntimePath
    {
        get
        {
            var directory = shell.GetEnvironment("XDG_RUNTIME_DIR");

            // A folder closed to all others that we can work in is our own.
            return !string.IsNullOrEmpty(directory)
                && Path.IsPathFullyQualified(directory)
                && Directory.Exists(directory)
                && !PrivateFiles.IsOpenToOthers(directory)
                ? Path.Combine(directory, "kmsg", HomeId, $"{account}.session")
                : null;
        }
    }

    // Several home folders can have accounts of one name.
    private string HomeId => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(home)).AsSpan(0, 8));

    public void Save(SecretBytes key)
    {
        if (RuntimePath is { } runtimePath && TryReplace(runtimePath, key))
        {
            Delete(pathBesideStore);
        }
        else
        {
            PrivateFiles.Replace(pathBesideStore, key.Span);
        }
    }

    /// <summary>The key; null when there is no login. It is looked for in both places, since either may have been chosen.</summary>
    public SecretBytes? Load() => (RuntimePath is { } runtimePath ? Load(runtimePath) : null) ?? Load(pathBesideStore);

    public void Delete()
    {
        Delete(pathBesideStore);
        if (RuntimePath is { } runtimePath)
        {
            Delete(runtimePath);
        }
    }

    // A runtime directory can be full, or of a session that ended.
    private static bool TryReplace(string path, SecretBytes key)
    {
        try
        {
            PrivateFiles.Replace(path, key.Span);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void Delete(string path)
    {
        if (File.Exists(path))
        {
            File.Delete(path);
        }
    }

    private static SecretBytes? Load(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (stream.Length is 0 or > MaxSize)
            {
                throw CommandException.Local($"the session file '{path}' is damaged", "kmsg login NAME makes a new one");
            }

            var key = new SecretBytes((int)stream.Length);
            stream.ReadExactly(key.Span);
            return key;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
