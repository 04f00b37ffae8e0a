using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>
/// The prime-order group ristretto255 (RFC 9496) with the hashes of RFC 9497 section 4.1. Elements and scalars are
/// 32 bytes; only canonical encodings of elements other than the identity are accepted anywhere.
/// </summary>
internal static class Ristretto255Group
{
    internal const int ElementSize = 32;
    internal const int ScalarSize = 32;
    internal const int UniformSize = 64;

    private const int Sha512BlockSize = 128;

    internal static bool IsValidElement(ReadOnlySpan<byte> element) =>
        element.Length == ElementSize
        && element.ContainsAnyExcept((byte)0) // the identity, which libsodium counts as a valid point
        && SodiumNative.crypto_core_ristretto255_is_valid_point(element) == 1;

    /// <summary>Whether the scalar is reduced and not zero.</summary>
    internal static bool IsValidScalar(ReadOnlySpan<byte> scalar)
    {
        if (scalar.Length != ScalarSize)
        {
            return false;
        }

        Span<byte> wide = stackalloc byte[UniformSize];
        Span<byte> reduced = stackalloc byte[ScalarSize];
        Span<byte> zero = stackalloc byte[ScalarSize];
        wide.Clear();
        zero.Clear();
        scalar.CopyTo(wide);
        SodiumNative.crypto_core_ristretto255_scalar_reduce(reduced, wide);
        var valid = CryptographicOperations.FixedTimeEquals(reduced, scalar)
            & !CryptographicOperations.FixedTimeEquals(reduced, zero);
        CryptographicOperations.ZeroMemory(wide);
        CryptographicOperations.ZeroMemory(reduced);
        return valid;
    }

    /// <summary>A uniformly random scalar other than zero.</summary>
    internal static void RandomScalar(Span<byte> scalar)
    {
        Require.Length(scalar, ScalarSize);
        SodiumNative.crypto_core_ristretto255_scalar_random(scalar);
    }

    /// <summary>False where the element is not valid or the product is the identity.</summary>
    internal static bool TryMultiply(ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> element, Span<byte> product)
    {
        Require.Length(scalar, ScalarSize);
        Require.Length(product, ElementSize);

        // The multiplication decodes the element strictly itself, and every multiple of the identity is the identity: to
        // ask IsValidElement first would be to do the same work twice.
        return element.Length == ElementSize
            && SodiumNative.crypto_scalarmult_ristretto255(product, scalar, element) == 0;
    }

    internal static void MultiplyBase(ReadOnlySpan<byte> scalar, Span<byte> product)
    {
        Require.Length(scalar, ScalarSize);
        Require.Length(product, ElementSize);
        Check(SodiumNative.crypto_scalarmult_ristretto255_base(product, scalar));
    }

    internal static void Invert(ReadOnlySpan<byte> scalar, Span<byte> inverse)
    {
        Require.Length(scalar, ScalarSize);
        Require.Length(inverse, ScalarSize);
        Check(SodiumNative.crypto_core_ristretto255_scalar_invert(inverse, scalar));
    }

    /// <summary>HashToGroup of RFC 9497 section 4.1: hash_to_ristretto255 of RFC 9380 appendix B.</summary>
    internal static void HashToElement(
        ReadOnlySpan<byte> message, ReadOnlySpan<byte> domainSeparation, Span<byte> element)
    {
        Span<byte> uniform = stackalloc byte[UniformSize];
        ExpandMessage(message, domainSeparation, uniform);
        FromUniformBytes(uniform, element);
        CryptographicOperations.ZeroMemory(uniform);
    }

    /// <summary>HashToScalar of RFC 9497 section 4.1: 64 uniform bytes, little-endian, modulo the order.</summary>
    internal static void HashToScalar(
        ReadOnlySpan<byte> message, ReadOnlySpan<byte> domainSeparation, Span<byte> scalar)
    {
        Require.Length(scalar, ScalarSize);
        Span<byte> uniform = stackalloc byte[UniformSize];
        ExpandMessage(message, domainSeparation, uniform);
        SodiumNative.crypto_core_ristretto255_scalar_reduce(scalar, uniform);
        CryptographicOperations.ZeroMemory(uniform);
    }

    /// <summary>The one-way map of RFC 9496 section 4.3.4: nobody learns the result's discrete logarithm.</summary>
    internal static void FromUniformBytes(ReadOnlySpan<byte> uniform, Span<byte> element)
    {
        Require.Length(uniform, UniformSize);
        Require.Length(element, ElementSize);
        Check(SodiumNative.crypto_core_ristretto255_from_hash(element, uniform));
    }

    /// <summary>
    /// expand_message_xmd of RFC 9380 section 5.3.1 with SHA-512 and 64 bytes of output, which is one block.
    /// </summary>
    private static void ExpandMessage(
        ReadOnlySpan<byte> message, ReadOnlySpan<byte> domainSeparation, Span<byte> uniform)
    {
        Span<byte> zeroPad = stackalloc byte[Sha512BlockSize];
        Span<byte> first = stackalloc byte[SHA512.HashSizeInBytes];
        zeroPad.Clear();
        ReadOnlySpan<byte> domainSeparationLength = [checked((byte)domainSeparation.Length)];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);

        hash.AppendData(zeroPad);
        hash.AppendData(message);
        hash.AppendData([0, UniformSize, 0]);
        hash.AppendData(domainSeparation);
        hash.AppendData(domainSeparationLength);
        hash.GetHashAndReset(first);

        hash.AppendData(first);
        hash.AppendData([1]);
        hash.AppendData(domainSeparation);
        hash.AppendData(domainSeparationLength);
        hash.GetHashAndReset(uniform);
        CryptographicOperations.ZeroMemory(first);
    }

    private static void Check(int result)
    {
        // These fail only for a zero scalar, which is excluded where scalars are made or taken in.
        if (result != 0)
        {
            throw new CryptographicException("The group operation was refused.");
        }
    }
}
