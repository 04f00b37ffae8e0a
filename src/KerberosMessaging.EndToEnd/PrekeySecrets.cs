using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>The private keys of a responder that one session start needs. They belong to the device's prekeys.</summary>
internal readonly ref struct PrekeySecrets(SecretBytes signedPrekey, SecretBytes? oneTimePrekey, SecretBytes kemSeed)
{
    /// <summary>X25519, 32 bytes.</summary>
    public SecretBytes SignedPrekey { get; } = signedPrekey;

    /// <summary>X25519, 32 bytes; null where the session was started without one.</summary>
    public SecretBytes? OneTimePrekey { get; } = oneTimePrekey;

    /// <summary>The seed of the ML-KEM-768 key, 64 bytes.</summary>
    public SecretBytes KemSeed { get; } = kemSeed;

    public override string ToString() => "[redacted]";
}
