using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>Seals long-term secrets with Data Protection, leaving no plain copy behind.</summary>
internal static class Sealing
{
    public static byte[] Seal(IDataProtector protector, SecretBytes secret)
    {
        var copy = secret.Span.ToArray();
        try
        {
            return protector.Protect(copy);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(copy);
        }
    }

    public static SecretBytes Open(IDataProtector protector, byte[] sealedSecret)
    {
        var opened = protector.Unprotect(sealedSecret);
        try
        {
            return new SecretBytes(opened);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(opened);
        }
    }
}
