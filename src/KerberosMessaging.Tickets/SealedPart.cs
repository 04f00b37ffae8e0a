using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

internal static class SealedPart
{
    public static SecretBytes ReadSecret(ref WireReader reader, int size)
    {
        var bytes = reader.ReadFixed(size);
        var secret = new SecretBytes(bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return secret;
    }
}
