using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// What both sides of a PQXDH run hold at its end: the secret key SK, the two shared header keys (shared_hka and
/// shared_nhkb of Double Ratchet, section 4.3) and the associated data AD.
/// </summary>
internal sealed class PqxdhAgreement(SecretBytes sharedKey, SecretBytes initiatorHeaderKey, SecretBytes responderHeaderKey, byte[] associatedData)
    : IDisposable
{
    public SecretBytes SharedKey { get; } = sharedKey;

    /// <summary>Seals the headers of the initiator's first chain.</summary>
    public SecretBytes InitiatorHeaderKey { get; } = initiatorHeaderKey;

    /// <summary>Seals the headers of the responder's first chain.</summary>
    public SecretBytes ResponderHeaderKey { get; } = responderHeaderKey;

    public byte[] AssociatedData { get; } = associatedData;

    public void Dispose()
    {
        SharedKey.Dispose();
        InitiatorHeaderKey.Dispose();
        ResponderHeaderKey.Dispose();
    }

    public override string ToString() => "[redacted]";
}
