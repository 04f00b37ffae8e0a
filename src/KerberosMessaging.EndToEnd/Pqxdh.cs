using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The key agreement that starts a session, after PQXDH, sections 3.3 and 3.4:
/// <code>
/// DH1 = X25519(IK_A, SPK_B)   DH2 = X25519(EK_A, IK_B)   DH3 = X25519(EK_A, SPK_B)   DH4 = X25519(EK_A, OPK_B)
/// SS  = ML-KEM-768 shared secret
/// HKDF-SHA-512(salt = 64 zero bytes, ikm = 32 bytes 0xFF || DH1 || DH2 || DH3 [|| DH4] || SS,
///              info = "kmsg/25 PQXDH X25519 SHA-512 ML-KEM-768", 160 bytes)
///     → SK (32) || header key of A's first chain (64) || header key of B's first chain (64)
/// AD  = "kmsg/25" || identity of A (64) || identity of B (64)
///       || SHA-512(KEM prekey of B, 1184 bytes) || SHA-512(KEM ciphertext, 1088 bytes)
/// </code>
/// DH4 is there where a one-time prekey was. AD names the KEM prekey and ciphertext, so that no session can be shifted to another
/// KEM key pair (section 4.10 and the re-encapsulation attack it refers to).
/// </summary>
internal static class Pqxdh
{
    public const int SharedKeySize = 32;

    public const int AssociatedDataSize = 7 + (2 * PublicDeviceIdentity.Size) + (2 * SHA512.HashSizeInBytes);

    private const int AgreementSize = 32;
    private const int PaddingSize = 32;
    private const int OutputSize = SharedKeySize + (2 * HeaderKey.Size);

    /// <summary>The sender's side (section 3.3). False if a key of the peer is one that no agreement is possible with.</summary>
    public static bool TryInitiate(
        DeviceIdentity self,
        X25519PrivateKey ephemeral,
        PublicDeviceIdentity peer,
        ReadOnlySpan<byte> signedPrekey,
        ReadOnlySpan<byte> oneTimePrekey,
        ReadOnlySpan<byte> kemPrekey,
        Span<byte> kemCiphertext,
        [NotNullWhen(true)] out PqxdhAgreement? agreement)
    {
        agreement = null;
        using var input = NewInput(withOneTimePrekey: !oneTimePrekey.IsEmpty);
        if (!self.TryAgree(signedPrekey, Dh(input, 1))
            || !ephemeral.TryAgree(peer.AgreementKey.Span, Dh(input, 2))
            || !ephemeral.TryAgree(signedPrekey, Dh(input, 3))
            || (!oneTimePrekey.IsEmpty && !ephemeral.TryAgree(oneTimePrekey, Dh(input, 4)))
            || !MlKem768.TryEncapsulate(kemPrekey, kemCiphertext, KemSecret(input)))
        {
            return false;
        }

        agreement = Derive(input, AssociatedData(self.Public, peer, kemPrekey, kemCiphertext));
        return true;
    }

    /// <summary>The recipient's side (section 3.4). False if a key in the header is one that no agreement is possible with.</summary>
    public static bool TryRespond(
        DeviceIdentity self,
        PrekeySecrets prekeys,
        PublicDeviceIdentity peer,
        PrekeyHeader header,
        [NotNullWhen(true)] out PqxdhAgreement? agreement)
    {
        agreement = null;
        using var input = NewInput(withOneTimePrekey: prekeys.OneTimePrekey is not null);
        using var signedPrekey = X25519PrivateKey.FromBytes(prekeys.SignedPrekey.Span);
        using var oneTimePrekey = prekeys.OneTimePrekey is { } secret ? X25519PrivateKey.FromBytes(secret.Span) : null;
        using var kemPrekey = MlKem768PrivateKey.FromSeed(prekeys.KemSeed.Span);
        if (!signedPrekey.TryAgree(peer.AgreementKey.Span, Dh(input, 1))
            || !self.TryAgree(header.BaseKey, Dh(input, 2))
            || !signedPrekey.TryAgree(header.BaseKey, Dh(input, 3))
            || (oneTimePrekey is not null && !oneTimePrekey.TryAgree(header.BaseKey, Dh(input, 4)))
            || !kemPrekey.TryDecapsulate(header.KemCiphertext, KemSecret(input)))
        {
            return false;
        }

        agreement = Derive(input, AssociatedData(peer, self.Public, kemPrekey.PublicKey.Span, header.KemCiphertext));
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

    private static SecretBytes NewInput(bool withOneTimePrekey)
    {
        var input = new SecretBytes(PaddingSize + ((withOneTimePrekey ? 4 : 3) * AgreementSize) + MlKem768.SharedSecretSize);

        // Section 2.2: F, as many 0xFF bytes as an X25519 key has, keeps this input apart from XEdDSA's hash inputs.
        input.Span[..PaddingSize].Fill(0xFF);
        return input;
    }

    private static Span<byte> Dh(SecretBytes input, int number) =>
        input.Span.Slice(PaddingSize + ((number - 1) * AgreementSize), AgreementSize);

    private static Span<byte> KemSecret(SecretBytes input) => input.Span[^MlKem768.SharedSecretSize..];

    private static PqxdhAgreement Derive(SecretBytes input, byte[] associatedData)
    {
        Span<byte> salt = stackalloc byte[SHA512.HashSizeInBytes];
        salt.Clear();
        using var output = new SecretBytes(OutputSize);
        HKDF.DeriveKey(HashAlgorithmName.SHA512, input.Span, output.Span, salt, Labels.Pqxdh);
        return new PqxdhAgreement(
            new SecretBytes(output.Span[..SharedKeySize]),
            new SecretBytes(output.Span.Slice(SharedKeySize, HeaderKey.Size)),
            new SecretBytes(output.Span[^HeaderKey.Size..]),
            associatedData);
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
