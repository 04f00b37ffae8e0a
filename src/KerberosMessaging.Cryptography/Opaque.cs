namespace KerberosMessaging.Cryptography;

/// <summary>
/// OPAQUE-3DH (RFC 9807) with ristretto255-SHA512, HKDF-SHA-512 and HMAC-SHA-512: password login in which the server
/// never sees the password and nothing on the wire can be tried against a dictionary. All messages have fixed sizes:
/// <code>
///  registration request     blinded message (32)
///  registration response    evaluated message (32) | server public key (32)
///  registration record      client public key (32) | masking key (64) | envelope: nonce (32), tag (64)
///  KE1                      blinded message (32) | client nonce (32) | client keyshare (32)
///  KE2                      evaluated message (32) | masking nonce (32) | masked response (128)
///                           | server nonce (32) | server keyshare (32) | server MAC (64)
///  KE3                      client MAC (64)
/// </code>
/// </summary>
public static class Opaque
{
    /// <summary>The size of a registration request in bytes (RFC 9807 section 5.1).</summary>
    public const int RegistrationRequestSize = 32;

    /// <summary>The size of a registration response in bytes (RFC 9807 section 5.1).</summary>
    public const int RegistrationResponseSize = 64;

    /// <summary>The size of a registration record in bytes (RFC 9807 section 5.1).</summary>
    public const int RegistrationRecordSize = PublicKeySize + MaskingKeySize + EnvelopeSize;

    /// <summary>The size of the client's first login message in bytes (RFC 9807 section 6.1).</summary>
    public const int Ke1Size = Ristretto255Group.ElementSize + NonceSize + PublicKeySize;

    /// <summary>The size of the server's login message in bytes (RFC 9807 section 6.1).</summary>
    public const int Ke2Size = Ke2HeadSize + MacSize;

    /// <summary>The size of the client's second login message in bytes (RFC 9807 section 6.1).</summary>
    public const int Ke3Size = MacSize;

    /// <summary>The size in bytes of the session key that a login gives to both sides.</summary>
    public const int SessionKeySize = 64;

    /// <summary>The size in bytes of the export key, which only the client learns (RFC 9807 section 10.4).</summary>
    public const int ExportKeySize = 64;

    /// <summary>The size in bytes of the seed from which the server derives one OPRF key per credential.</summary>
    public const int OprfSeedSize = 64;

    /// <summary>The size of the server's private key in bytes, a ristretto255 scalar.</summary>
    public const int ServerPrivateKeySize = Ristretto255Group.ScalarSize;

    internal const int NonceSize = 32;
    internal const int MacSize = 64;
    internal const int PublicKeySize = Ristretto255Group.ElementSize;
    internal const int MaskingKeySize = 64;
    internal const int EnvelopeSize = NonceSize + MacSize;
    internal const int MaskedResponseSize = PublicKeySize + EnvelopeSize;

    /// <summary>The credential response: evaluated message, masking nonce and masked response.</summary>
    internal const int CredentialResponseSize = Ristretto255Group.ElementSize + NonceSize + MaskedResponseSize;

    /// <summary>KE2 without its MAC, which is just the part that the transcript covers.</summary>
    internal const int Ke2HeadSize = CredentialResponseSize + NonceSize + PublicKeySize;

    /// <summary>
    /// Whether an uploaded record can be stored: its size is right and its public key is a valid group element, as
    /// RFC 9807 section 10.7 demands before use. Whether its envelope opens, only the client can know.
    /// </summary>
    /// <param name="record">The registration record; any bytes are allowed.</param>
    /// <returns>False where a login against the record could never succeed.</returns>
    public static bool IsWellFormedRecord(ReadOnlySpan<byte> record) =>
        record.Length == RegistrationRecordSize && Ristretto255Group.IsValidElement(record[..PublicKeySize]);
}
