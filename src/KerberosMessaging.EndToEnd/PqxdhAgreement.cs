using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>What both sides of a PQXDH run hold at its end: the secret key SK and the associated data AD.</summary>
internal sealed class PqxdhAgreement(SecretBytes sharedKey, byte[] associatedData) : IDisposable
{
    public SecretBytes SharedKey { get; } = sharedKey;

    public byte[] AssociatedData { get; } = associatedData;

    public void Dispose() => SharedKey.Dispose();

    public override string ToString() => "[redacted]";
}
