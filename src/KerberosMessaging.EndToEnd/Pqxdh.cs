using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The key agreement that starts a session, after PQXDH, sections 3.3 and 3.4, without one-time prekeys:
/// <code>
/// DH1 = X25519(IK_A, SPK_B)   DH2 = X25519(EK_A, IK_B)   DH3 = X25519(EK_A, SPK_B)   SS = ML-KEM-768 shared secret
/// SK  = HKDF-SHA-512(salt = 64 zero bytes, ikm = 32 bytes 0xFF || DH1 || DH2 || DH3 || SS,
///                    info = "kmsg/25 PQXDH X25519 SHA-512 ML-KEM-768", 32 bytes)
/// AD  = "kmsg/25" || identity of A (64) || identity of B (64)
///       || SHA-512(KEM prekey of B, 1184 bytes) || SHA-512(KEM ciphertext, 1088 bytes)
/// </code>
/// AD names the KEM prekey and ciphertext, so that no session can be shifted to another KEM key pair (section 4.10 and
/// the re-encapsulation attack it refers to).
/// </summary>
internal static class Pqxdh
{
    public const int SharedKeySize = 32;

    public const int AssociatedDataSize = 7 + (2 * PublicDeviceIdentity.Size) + (2 * SHA512.HashSizeInBytes);

    private const int AgreementSize = 32;
    private const int PaddingSize = 32;
    private const int InputSize = PaddingSize + (3 * AgreementSize) + MlKem768.SharedSecretSize;

    /// <summary>The sender's side (section 3.3). False if a key of the peer is one that no agreement is possible with.</summary>
    public static bool TryInitiate(
        DeviceIdentity self,
        X25519PrivateKey ephemeral,
        PublicDeviceIdentity peer,
        PrekeyBundle bundle,
        Span<byte> kemCiphertext,
        [NotNullWhen(true)] out PqxdhAgreement? agreement)
    {
        agreement = null;
        using var input = new SecretBytes(InputSize);
        Split(input, out var dh1, out var dh2, out var dh3, out var kemSecret);
        if (!self.TryAgree(bundle.SignedPrekey.Span, dh1)
            || !ephemeral.TryAgree(peer.AgreementKey.Span, dh2)
            || !ephemeral.TryAgree(bundle.SignedPrekey.Span, dh3)
            || !MlKem768.TryEncapsulate(bundle.KemPrekey.Span, kemCiphertext, kemSecret))
        {
            return false;
        }

        var associatedData = AssociatedData(self.Public, peer, bundle.KemPrekey.Span, kemCiphertext);
        agreement = new PqxdhAgreement(DeriveSharedKey(input), associatedData);
        return true;
    }

    /// <summary>The recipient's side (section 3.4). False if a key in the header is one that no agreement is possible with.</summary>
    public static bool TryRespond(
        DeviceIdentity self,
        X25519PrivateKey signedPrekey,
        MlKem768PrivateKey kemPrekey,
        PublicDeviceIdentity peer,
        PrekeyHeader header,
        [NotNullWhen(true)] out PqxdhAgreement? agreement)
    {
        agreement = null;
        using var input = new SecretBytes(InputSize);
        Split(input, out var dh1, out var dh2, out var dh3, out var kemSecret);
        if (!signedPrekey.TryAgree(peer.AgreementKey.Span, dh1)
            || !self.TryAgree(header.BaseKey, dh2)
            || !signedPrekey.TryAgree(header.BaseKey, dh3)
            || !kemPrekey.TryDecapsulate(header.KemCiphertext, kemSecret))
        {
            return false;
        }

        var associatedData = AssociatedData(peer, self.Public, kemPrekey.PublicKey.Span, header.KemCiphertext);
        agreement = new PqxdhAgreement(DeriveSharedKey(input), associatedData);
        return true;
    }

    /// <summary>Whether the associated data of a session names these two identities in these roles.</summary>
    public static bool NamesIdentities(
        ReadOnlySpan<byte> associatedData,
        PublicDeviceIdentity initiator,
        PublicDeviceIdentity responder)
    {
        var identities = associatedData.Slice(Labels.AssociatedData.Length, 2 * PublicDeviceIdentity.Size);
        return identities[..PublicDeviceIdentity.Size].SequenceEqual(initiator.Bytes)
            && identities[PublicDeviceIdentity.Size..].SequenceEqual(responder.Bytes);
    }

    private static void Split(
        SecretBytes input,
        out Span<byte> dh1,
        out Span<byte> dh2,
        out Span<byte> dh3,
        out Span<byte> kemSecret)
    {
        var span = input.Span;

        // Section 2.2: F, as many 0xFF bytes as an X25519 key has, keeps this input apart from XEdDSA's hash inputs.
        span[..PaddingSize].Fill(0xFF);
        dh1 = span.Slice(PaddingSize, AgreementSize);
        dh2 = span.Slice(PaddingSize + AgreementSize, AgreementSize);
        dh3 = span.Slice(PaddingSize + (2 * AgreementSize), AgreementSize);
        kemSecret = span[(PaddingSize + (3 * AgreementSize))..];
    }

    private static SecretBytes DeriveSharedKey(SecretBytes input)
    {
        Span<byte> salt = stackalloc byte[SHA512.HashSizeInBytes];
        salt.Clear();
        var sharedKey = new SecretBytes(SharedKeySize);
        HKDF.DeriveKey(HashAlgorithmName.SHA512, input.Span, sharedKey.Span, salt, Labels.Pqxdh);
        return sharedKey;
    }

    private static byte[] AssociatedData(
        PublicDeviceIdentity initiator,
        PublicDeviceIdentity responder,
        ReadOnlySpan<byte> kemPrekey,
        ReadOnlySpan<byte> kemCiphertext)
    {
        var associatedData = new byte[AssociatedDataSize];
        var writer = new StateWriter(associatedData);
        writer.WriteBytes(Labels.AssociatedData);
        writer.WriteBytes(initiator.Bytes);
        writer.WriteBytes(responder.Bytes);
        writer.WriteBytes(SHA512.HashData(kemPrekey));
        writer.WriteBytes(SHA512.HashData(kemCiphertext));
        writer.ExpectEnd();
        return associatedData;
    }
}
