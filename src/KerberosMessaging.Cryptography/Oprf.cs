using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>The oblivious pseudorandom function OPRF(ristretto255, SHA-512) of RFC 9497, mode 0x00.</summary>
internal static class Oprf
{
    internal const int OutputSize = SHA512.HashSizeInBytes;
    internal const int SeedSize = 32;

    private const int LargestInfo = 64;

    private static ReadOnlySpan<byte> HashToGroupTag => "HashToGroup-OPRFV1-\0-ristretto255-SHA512"u8;

    private static ReadOnlySpan<byte> DeriveKeyPairTag => "DeriveKeyPairOPRFV1-\0-ristretto255-SHA512"u8;

    /// <summary>Blind, RFC 9497 section 3.3.1, with a blind the caller chose at random.</summary>
    internal static void Blind(ReadOnlySpan<byte> input, ReadOnlySpan<byte> blind, Span<byte> blindedElement)
    {
        Require.FitsTwoByteLength(input);
        Span<byte> element = stackalloc byte[Ristretto255Group.ElementSize];
        Ristretto255Group.HashToElement(input, HashToGroupTag, element);
        var blinded = Ristretto255Group.TryMultiply(blind, element, blindedElement);
        CryptographicOperations.ZeroMemory(element);
        if (!blinded)
        {
            // The RFC's InvalidInputError: the input hashes to the identity, which no known input does.
            throw new CryptographicException("The input cannot be blinded.");
        }
    }

    /// <summary>BlindEvaluate, RFC 9497 section 3.3.1. False where the element is not valid.</summary>
    internal static bool TryEvaluate(
        ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> blindedElement, Span<byte> evaluatedElement) =>
        Ristretto255Group.TryMultiply(privateKey, blindedElement, evaluatedElement);

    /// <summary>Finalize, RFC 9497 section 3.3.1. False where the evaluated element is not valid.</summary>
    internal static bool TryFinalize(
        ReadOnlySpan<byte> input, ReadOnlySpan<byte> blind, ReadOnlySpan<byte> evaluatedElement, Span<byte> output)
    {
        Require.FitsTwoByteLength(input);
        Span<byte> inverse = stackalloc byte[Ristretto255Group.ScalarSize];
        Span<byte> element = stackalloc byte[Ristretto255Group.ElementSize];
        try
        {
            Ristretto255Group.Invert(blind, inverse);
            if (!Ristretto255Group.TryMultiply(inverse, evaluatedElement, element))
            {
                return false;
            }

            Span<byte> length = stackalloc byte[sizeof(ushort)];
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
            BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)input.Length);
            hash.AppendData(length);
            hash.AppendData(input);
            BinaryPrimitives.WriteUInt16BigEndian(length, Ristretto255Group.ElementSize);
            hash.AppendData(length);
            hash.AppendData(element);
            hash.AppendData("Finalize"u8);
            hash.GetHashAndReset(output);
            return true;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(inverse);
            CryptographicOperations.ZeroMemory(element);
        }
    }

    /// <summary>The private half of DeriveKeyPair, RFC 9497 section 3.2.1.</summary>
    internal static void DerivePrivateKey(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> info, Span<byte> privateKey)
    {
        Require.Length(seed, SeedSize);
        Span<byte> buffer = stackalloc byte[SeedSize + sizeof(ushort) + LargestInfo + 1];
        var input = buffer[..(SeedSize + sizeof(ushort) + info.Length + 1)];
        seed.CopyTo(input);
        BinaryPrimitives.WriteUInt16BigEndian(input[SeedSize..], (ushort)info.Length);
        info.CopyTo(input[(SeedSize + sizeof(ushort))..]);
        try
        {
            for (var counter = 0; counter <= byte.MaxValue; counter++)
            {
                input[^1] = (byte)counter;
                Ristretto255Group.HashToScalar(input, DeriveKeyPairTag, privateKey);
                if (privateKey.ContainsAnyExcept((byte)0))
                {
                    return;
                }
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }

        throw new CryptographicException("No key can be derived from this seed.");
    }
}
