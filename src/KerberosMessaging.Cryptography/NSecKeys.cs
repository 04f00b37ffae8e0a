using System.Security.Cryptography;
using NSec.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>What the keys held by NSec have in common.</summary>
internal static class NSecKeys
{
    /// <summary>Keys are stored under protection of the caller's, so they must be exportable.</summary>
    internal static KeyCreationParameters Exportable =>
        new() { ExportPolicy = KeyExportPolicies.AllowPlaintextExport };

    internal static SecretBytes Export(Key key, int size)
    {
        var secret = new SecretBytes(size);
        if (key.TryExport(KeyBlobFormat.RawPrivateKey, secret.Span, out var written) && written == size)
        {
            return secret;
        }

        secret.Dispose();
        throw new CryptographicException("The private key could not be exported.");
    }
}
