using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Terminal.Home;

/// <summary>A file whose content a service's store is sealed under.</summary>
internal static class KeyFile
{
    private const int MinSize = 32;
    private const int MaxSize = 64 * 1024;

    public static SecretBytes Read(string path, TextWriter warnings)
    {
        using var stream = SecretFiles.Open(path, "key file", warnings);
        var buffer = GC.AllocateArray<byte>(MaxSize + 1, pinned: true);
        try
        {
            return stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) switch
            {
                < MinSize => throw CommandException.Local(
                    $"the key file '{path}' is shorter than {MinSize} bytes", $"make one: head -c {MinSize} /dev/urandom > FILE"),
                > MaxSize => throw CommandException.Local($"the key file '{path}' is longer than {MaxSize} bytes"),
                var length => new SecretBytes(buffer.AsSpan(0, length)),
            };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }
}
