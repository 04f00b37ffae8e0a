using System.Collections.Frozen;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Realm;

/// <summary>Takes keys off the wire.</summary>
internal static class WireKeys
{
    /// <summary>The keys as this server holds them; the secret ones are erased where they came.</summary>
    public static TicketKeySet Take(this ServerKeys keys)
    {
        var taken = new TicketKeySet(
            keys.ServiceKeys.ToFrozenDictionary(static key => key.Version, static key => new SecretBytes(key.Key)),
            keys.TicketSigningKeys.ToFrozenDictionary(static key => key.Version, static key => key.Key));
        foreach (var key in keys.ServiceKeys)
        {
            CryptographicOperations.ZeroMemory(key.Key);
        }

        return taken;
    }
}
