using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>How OPAQUE derives its keys (RFC 9807 sections 5.2, 6.3.2 and 6.4.1.1).</summary>
internal static class OpaqueKeys
{
    /// <summary>DeriveDiffieHellmanKeyPair, RFC 9807 section 6.4.1.1.</summary>
    internal static void DeriveKeyPair(ReadOnlySpan<byte> seed, Span<byte> privateKey, Span<byte> publicKey)
    {
        Oprf.DerivePrivateKey(seed, "OPAQUE-DeriveDiffieHellmanKeyPair"u8, privateKey);
        Ristretto255Group.MultiplyBase(privateKey, publicKey);
    }

    /// <summary>
    /// The client's side of the OPRF, stretched (RFC 9807 sections 5.2.3 and 6.3.2.3): 64 bytes that follow from the
    /// password and the server's OPRF key. False where the server's answer is not a valid element.
    /// </summary>
    internal static bool TryRandomizePassword(
        ReadOnlySpan<byte> password,
        ReadOnlySpan<byte> blind,
        ReadOnlySpan<byte> evaluatedMessage,
        StretchingParameters stretching,
        Span<byte> randomizedPassword)
    {
        Span<byte> outputs = stackalloc byte[2 * Oprf.OutputSize];
        try
        {
            var oprfOutput = outputs[..Oprf.OutputSize];
            if (!Oprf.TryFinalize(password, blind, evaluatedMessage, oprfOutput))
            {
                return false;
            }

            PasswordStretching.Stretch(stretching, oprfOutput, outputs[Oprf.OutputSize..]);
            KeyDerivation.Extract(salt: default, outputs, randomizedPassword);
            return true;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(outputs);
        }
    }

    internal static void DeriveMaskingKey(ReadOnlySpan<byte> randomizedPassword, Span<byte> maskingKey) =>
        KeyDerivation.ExpandRaw(randomizedPassword, "MaskingKey"u8, maskingKey);

    /// <summary>Masks or unmasks the server's public key and the envelope (RFC 9807 section 6.3.2.2).</summary>
    internal static void ApplyMask(
        ReadOnlySpan<byte> maskingKey, ReadOnlySpan<byte> maskingNonce, Span<byte> response)
    {
        Span<byte> info = stackalloc byte[Opaque.NonceSize + "CredentialResponsePad".Length];
        Span<byte> pad = stackalloc byte[Opaque.MaskedResponseSize];
        maskingNonce.CopyTo(info);
        "CredentialResponsePad"u8.CopyTo(info[Opaque.NonceSize..]);
        KeyDerivation.ExpandRaw(maskingKey, info, pad);
        for (var i = 0; i < response.Length; i++)
        {
            response[i] ^= pad[i];
        }

        CryptographicOperations.ZeroMemory(pad);
    }
}
