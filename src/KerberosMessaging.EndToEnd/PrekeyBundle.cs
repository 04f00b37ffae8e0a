using System.Diagnostics.CodeAnalysis;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// What a device publishes so that others can start a session with it while it is away (PQXDH, section 3.2): a signed
/// X25519 prekey and a signed last-resort ML-KEM-768 prekey.
/// <code>
///  0           4             36               100        104           1288             1352
///  +-----------+-------------+----------------+----------+-------------+----------------+
///  | signed    | signed      | its signature  | KEM      | KEM prekey  | its signature  |
///  | prekey    | prekey      | (64)           | prekey   | (1184)      | (64)           |
///  | id (4)    | (32)        |                | id (4)   |             |                |
///  +-----------+-------------+----------------+----------+-------------+----------------+
/// </code>
/// The signatures are Ed25519 by the device's signing key over label, 0x00, id (4, big-endian), key, where the label is
/// the ASCII text "kmsg/25 signed prekey" or "kmsg/25 kem prekey".
/// </summary>
public sealed class PrekeyBundle
{
    /// <summary>The size of the encoded bundle.</summary>
    public const int Size =
        sizeof(uint) + PublicDeviceIdentity.KeySize + PrekeySignature.Size +
        sizeof(uint) + MlKem768.PublicKeySize + PrekeySignature.Size;

    internal PrekeyBundle(
        uint signedPrekeyId,
        ReadOnlySpan<byte> signedPrekey,
        ReadOnlySpan<byte> signedPrekeySignature,
        uint kemPrekeyId,
        ReadOnlySpan<byte> kemPrekey,
        ReadOnlySpan<byte> kemPrekeySignature)
    {
        SignedPrekeyId = signedPrekeyId;
        SignedPrekey = signedPrekey.ToArray();
        SignedPrekeySignature = signedPrekeySignature.ToArray();
        KemPrekeyId = kemPrekeyId;
        KemPrekey = kemPrekey.ToArray();
        KemPrekeySignature = kemPrekeySignature.ToArray();
    }

    /// <summary>The owner's number for the signed prekey; prekey envelopes name it.</summary>
    public uint SignedPrekeyId { get; }

    /// <summary>The X25519 public key, 32 bytes (SPK in PQXDH).</summary>
    public ReadOnlyMemory<byte> SignedPrekey { get; }

    /// <summary>The signature over the signed prekey, 64 bytes.</summary>
    public ReadOnlyMemory<byte> SignedPrekeySignature { get; }

    /// <summary>The owner's number for the KEM prekey; prekey envelopes name it.</summary>
    public uint KemPrekeyId { get; }

    /// <summary>The ML-KEM-768 encapsulation key, 1184 bytes (PQSPK in PQXDH).</summary>
    public ReadOnlyMemory<byte> KemPrekey { get; }

    /// <summary>The signature over the KEM prekey, 64 bytes.</summary>
    public ReadOnlyMemory<byte> KemPrekeySignature { get; }

    /// <summary>Reads a bundle from exactly its encoding. The signatures are not checked by this.</summary>
    /// <param name="bytes">The encoded bundle.</param>
    /// <param name="bundle">The bundle.</param>
    /// <returns>Whether the length is right.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PrekeyBundle? bundle)
    {
        bundle = null;
        if (bytes.Length != Size)
        {
            return false;
        }

        var reader = new StateReader(bytes);
        bundle = new PrekeyBundle(
            reader.ReadUInt32(),
            reader.ReadBytes(PublicDeviceIdentity.KeySize),
            reader.ReadBytes(PrekeySignature.Size),
            reader.ReadUInt32(),
            reader.ReadBytes(MlKem768.PublicKeySize),
            reader.ReadBytes(PrekeySignature.Size));
        return true;
    }

    /// <summary>Encodes the bundle.</summary>
    /// <returns><see cref="Size"/> bytes.</returns>
    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        var writer = new StateWriter(bytes);
        writer.WriteUInt32(SignedPrekeyId);
        writer.WriteBytes(SignedPrekey.Span);
        writer.WriteBytes(SignedPrekeySignature.Span);
        writer.WriteUInt32(KemPrekeyId);
        writer.WriteBytes(KemPrekey.Span);
        writer.WriteBytes(KemPrekeySignature.Span);
        writer.ExpectEnd();
        return bytes;
    }

    /// <summary>Whether both prekeys are signed by the given device.</summary>
    /// <param name="identity">The device's identity.</param>
    /// <returns><see langword="true"/> if both signatures are good.</returns>
    public bool IsSignedBy(PublicDeviceIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        return PrekeySignature.Verify(identity, Labels.SignedPrekey, SignedPrekeyId, SignedPrekey.Span, SignedPrekeySignature.Span)
            && PrekeySignature.Verify(identity, Labels.KemPrekey, KemPrekeyId, KemPrekey.Span, KemPrekeySignature.Span);
    }
}
