using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>Seals long-term secrets with Data Protection. It takes and gives arrays; those are erased here.</summary>
public static class Sealing
{
    /// <summary>Seals a secret.</summary>
    /// <param name="protector">With a purpose of its own for each kind of secret, so that none opens in another's place.</param>
    /// <param name="secret">The secret; it stays the caller's.</param>
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

    /// <summary>Opens a sealed secret.</summary>
    /// <param name="protector">The protector that it was sealed with.</param>
    /// <param name="sealedSecret">As stored.</param>
    /// <exception cref="CryptographicException">The key ring does not open it, or it was changed.</exception>
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
