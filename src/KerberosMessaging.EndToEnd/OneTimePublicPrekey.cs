using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The public half of a one-time prekey (PQXDH, section 3.2): an X25519 key (OPK), which is not signed, or an ML-KEM-768 key
/// (PQOPK) with its signature.
/// <code>
/// X25519:      key (32)
/// ML-KEM-768:  key (1184) || Ed25519 signature (64) by the device over "kmsg/25 one-time kem prekey" 0x00 || id (4) || key
/// </code>
/// </summary>
/// <param name="Id">The owner's number for it, from 1; prekey envelopes name it.</param>
/// <param name="Key">The key as published.</param>
public sealed record OneTimePublicPrekey(uint Id, ReadOnlyMemory<byte> Key)
{
    /// <summary>The size of a published X25519 key.</summary>
    public const int X25519Size = X25519PrivateKey.Size;

    /// <summary>The size of a published ML-KEM-768 key with its signature.</summary>
    public const int MlKem768Size = MlKem768.PublicKeySize + PrekeySignature.Size;

    internal ReadOnlySpan<byte> KemKey => Key.Span[..MlKem768.PublicKeySize];

    internal bool IsKemKeySignedBy(PublicDeviceIdentity identity) =>
        Id != 0
        && Key.Length == MlKem768Size
        && PrekeySignature.Verify(identity, Labels.OneTimeKemPrekey, Id, KemKey, Key.Span[MlKem768.PublicKeySize..]);
}
