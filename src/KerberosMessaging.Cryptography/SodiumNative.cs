using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>
/// The functions of libsodium that neither the framework nor NSec offers. Sizes are checked by the callers: every
/// buffer here is passed as a bare pointer. A result other than 0 means the input was refused.
/// </summary>
internal static partial class SodiumNative
{
    private const string Library = "libsodium";

    static SodiumNative()
    {
        // Chooses the implementation for this processor and opens the random source. Calling it again is allowed
        // and answers 1.
        if (sodium_init() < 0)
        {
            throw new CryptographicException("libsodium could not be initialised.");
        }
    }

    [LibraryImport(Library)]
    internal static partial int crypto_core_ristretto255_is_valid_point(ReadOnlySpan<byte> element);

    [LibraryImport(Library)]
    internal static partial int crypto_core_ristretto255_from_hash(Span<byte> element, ReadOnlySpan<byte> uniform);

    [LibraryImport(Library)]
    internal static partial void crypto_core_ristretto255_scalar_random(Span<byte> scalar);

    [LibraryImport(Library)]
    internal static partial void crypto_core_ristretto255_scalar_reduce(Span<byte> scalar, ReadOnlySpan<byte> wide);

    [LibraryImport(Library)]
    internal static partial int crypto_core_ristretto255_scalar_invert(Span<byte> inverse, ReadOnlySpan<byte> scalar);

    [LibraryImport(Library)]
    internal static partial int crypto_scalarmult_ristretto255(
        Span<byte> result, ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> element);

    [LibraryImport(Library)]
    internal static partial int crypto_scalarmult_ristretto255_base(Span<byte> result, ReadOnlySpan<byte> scalar);

    [LibraryImport(Library)]
    internal static partial int crypto_kem_mlkem768_seed_keypair(
        Span<byte> publicKey, Span<byte> privateKey, ReadOnlySpan<byte> seed);

    [LibraryImport(Library)]
    internal static partial int crypto_kem_mlkem768_enc(
        Span<byte> ciphertext, Span<byte> sharedSecret, ReadOnlySpan<byte> publicKey);

    [LibraryImport(Library)]
    internal static partial int crypto_kem_mlkem768_enc_deterministic(
        Span<byte> ciphertext, Span<byte> sharedSecret, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> seed);

    [LibraryImport(Library)]
    internal static partial int crypto_kem_mlkem768_dec(
        Span<byte> sharedSecret, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> privateKey);

    [LibraryImport(Library)]
    internal static partial int crypto_kem_xwing_seed_keypair(
        Span<byte> publicKey, Span<byte> privateKey, ReadOnlySpan<byte> seed);

    [LibraryImport(Library)]
    internal static partial int crypto_kem_xwing_enc(
        Span<byte> ciphertext, Span<byte> sharedSecret, ReadOnlySpan<byte> publicKey);

    [LibraryImport(Library)]
    internal static partial int crypto_kem_xwing_enc_deterministic(
        Span<byte> ciphertext, Span<byte> sharedSecret, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> seed);

    [LibraryImport(Library)]
    internal static partial int crypto_kem_xwing_dec(
        Span<byte> sharedSecret, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> privateKey);

    [LibraryImport(Library)]
    internal static partial int crypto_kdf_hkdf_sha512_extract(
        Span<byte> prk, ReadOnlySpan<byte> salt, nuint saltLength, ReadOnlySpan<byte> inputKey, nuint inputKeyLength);

    [LibraryImport(Library)]
    internal static partial int crypto_kdf_hkdf_sha512_expand(
        Span<byte> output, nuint outputLength, ReadOnlySpan<byte> info, nuint infoLength, ReadOnlySpan<byte> prk);

    [LibraryImport(Library)]
    private static partial int sodium_init();
}
