using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Startup;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>The key that backups are sealed under: of the 32 bytes that its file gives, only what HKDF-Extract makes of them is kept.</summary>
internal sealed class BackupKey : IDisposable
{
    private readonly SecretBytes _extracted = new(KeyDerivation.PseudorandomKeySize);

    private BackupKey(ReadOnlySpan<byte> key) => KeyDerivation.Extract([], key, _extracted.Span);

    /// <summary>Reads a key file: 32 bytes as 64 hexadecimal digits or base64, as a master key is written.</summary>
    /// <exception cref="StartupException">It is not there, or is none.</exception>
    public static BackupKey Read(string path) =>
        SecretTextFile.Read(path, "backup key", "correct the option that names it", static text =>
        {
            using var key = new SecretBytes(MasterKey.Size);
            return MasterKey.TryDecode(text, key.Span) ? new BackupKey(key.Span) : null;
        });

    /// <summary>The key of one backup's chunks, which the caller disposes of.</summary>
    /// <param name="header">The backup's header: no byte of it can be changed.</param>
    public SecretBytes Derive(ReadOnlySpan<byte> header)
    {
        var key = new SecretBytes(AuthenticatedCbc.KeySize);
        KeyDerivation.Expand(_extracted.Span, SealedFormat.KeyLabel, header, key.Span);
        return key;
    }

    public void Dispose() => _extracted.Dispose();

    /// <summary>Never shows the key.</summary>
    public override string ToString() => _extracted.ToString();
}
